# The pictures of docs/compare.md, quality against seconds of fit, from the tables that the programs print:
#   gnuplot -e "ncf='ncf.txt'; neumf='neumf.txt'; hetrec='hetrec.txt'" compare.gp > compare.svg
#   gnuplot -e "gowalla='gowalla.txt'" compare.gp > compare_gowalla.svg
#   gnuplot -e "hybridsvd='hybridsvd.txt'; fm='fm.txt'" compare.gp > compare_hybridsvd.svg
# Points are what ran; lines are published figures, which come without seconds.
set terminal svg size 980,430 font "sans-serif,12" background rgb "white"
set border 3 lc rgb "#888888"
set tics nomirror tc rgb "#444444"
set grid ytics lc rgb "#dddddd"
set datafile separator "\t"
set logscale x
set xlabel "seconds of fit"
unset key
ours = "#0b5fa5"
network = "#c8500a"
# Seconds, figure, name of the rows of a table that have seconds; `names`: the rows wanted.
rows(file, figure, seconds, names) = sprintf("< awk -F' *[|] *' -v OFS='\t' '/^\\| / && $%d + 0 >= 0.01 && $2 ~ /^(%s)$/ {print $%d, $%d + 0, $2}' '%s'", \
                                             seconds, names, seconds, figure, file)
# The same of a line "  <name>   HR@10 <figure> ... fit <seconds> s" of the n-th part of an output; `name`: under which it is drawn.
line(file, part, row, name) = sprintf("< awk -v OFS='\t' '/HybridSVD.s protocol|^new films/ {part += 1} part == %d && match($0, /HR@10 /) && substr($0, 3, RSTART - 3) ~ /^%s *$/ {figure = substr($0, RSTART + 6, 6); sub(/.* fit /, \"\"); print $1 + 0, figure, \"%s\"}' '%s'", \
                                      part, row, name, file)


# Draws a published figure as a line across the range of x; `at`: where its name begins, `above`: how far above the line.
published(n, figure, text, at, above) = sprintf("set arrow %d from graph 0, first %g to graph 1, first %g nohead dt 2 lc rgb '#999999';", n, figure, figure) \
  .sprintf("set label %d '%s' at first %g,%g offset 0,%g boxed font ',10' tc rgb '#666666'", n, text, at, figure, above)

if (exists("ncf")) {
  set multiplot layout 1,2
  set title "MovieLens 1M, one film among 100"
  set ylabel "HR\\@10"
  set xrange [0.4:2000]
  set yrange [0.55:0.75]
  set arrow 1 from 0.4,0.7093 to 2000,0.7093 nohead dt 2 lc rgb network
  set label 1 "NeuMF, published" at 1,0.7035 tc rgb network
  set arrow 2 from 0.4,0.7294 to 2000,0.7294 nohead dt 2 lc rgb "#888888"
  set label 2 "MF by SGD, published" at 12,0.7245 tc rgb "#666666"
  left = rows(ncf, 3, 5, "ALS")
  right = rows(ncf, 3, 5, "item neighbours|EASE|ALS, tuned under this protocol")
  trained = rows(neumf, 3, 5, "NeuMF, trained here")
  plot left using 1:2 with points pt 7 ps 0.7 lc rgb ours, '' using 1:2:3 with labels right offset -0.7,0.5 font ",10" tc rgb ours, \
       right using 1:2 with points pt 7 ps 0.7 lc rgb ours, '' using 1:2:3 with labels left offset 0.7,0.5 font ",10" tc rgb ours, \
       trained using 1:2 with points pt 7 ps 0.7 lc rgb network, '' using 1:2:3 with labels right offset -0.9,0.25 font ",10" tc rgb network
  unset arrow
  unset label
  set title "HetRec 2011 Last.fm, a fifth of each user's artists" offset -2,0
  set ylabel "NDCG\\@10"
  set xrange [0.01:20]
  set yrange [0.2:0.32]
  all = rows(hetrec, 5, 8, "[^p].*")
  plot all using 1:2 with points pt 7 ps 0.7 lc rgb ours, '' using 1:2:3 with labels left offset 0.7,0.3 font ",10" tc rgb ours
  unset multiplot
}

set style textbox opaque noborder margins 1,1  # names hide the lines behind them

if (exists("gowalla")) {
  unset grid
  set terminal svg size 760,430
  set title "Gowalla, LightGCN's split, all places ranked"
  set ylabel "Recall\\@20"
  set xrange [0.3:100]
  set yrange [0.11:0.202]
  eval published(1, .1344, "NeuMF, as quoted", 35, -0.6)
  eval published(2, .1567, "Mult-VAE, as quoted", 35, -0.6)
  eval published(3, .1765, "EASE, as quoted", 35, -0.6)
  eval published(4, .1830, "LightGCN", 35, -0.6)
  eval published(5, .1872, "SimpleX", 35, -0.45)
  eval published(6, .1941, "ChebyCF", 35, -0.6)
  above = rows(gowalla, 3, 5, "factors and neighbours|item neighbours, cosine|ALS|ALS, tuned")
  left = rows(gowalla, 3, 5, "item neighbours")
  below = rows(gowalla, 3, 5, "factors and neighbours, tuned")
  plot above using 1:2:3 with labels boxed center offset 0,0.8 font ",10" tc rgb ours, '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       left using 1:2:3 with labels boxed right offset -0.7,0.2 font ",10" tc rgb ours, '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       below using 1:2:3 with labels boxed center offset 0,-1 font ",10" tc rgb ours, '' using 1:2 with points pt 7 ps 0.7 lc rgb ours
}

if (exists("hybridsvd")) {
  unset grid
  set multiplot layout 1,2
  set ylabel "HR\\@10"
  set xrange [0.1:300]
  set title "MovieLens 1M, one film held out, all ranked"
  set yrange [0.18:0.26]
  trained = line(fm, 1, "factorization machine", "factorization machine, trained here")
  eval published(1, .1902, "factorization machine", 0.14, -0.6)
  eval published(2, .2295, "HybridSVD", 0.14, -0.6)
  eval published(3, .2432, "scaled HybridSVD", 0.14, -0.6)
  plot line(hybridsvd, 1, "plain", "ALS") using 1:2:3 with labels boxed right offset -0.7,0 font ",10" tc rgb ours, \
       '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       line(hybridsvd, 1, "after_fit", "with features, after the fit") using 1:2:3 with labels boxed left offset 0.7,0.5 font ",10" tc rgb ours, \
       '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       line(hybridsvd, 1, "each_iteration", "with features, in each iteration") using 1:2:3 with labels boxed left offset 0.7,-0.4 font ",10" tc rgb ours, \
       '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       trained using 1:2:3 with labels boxed center offset 0,0.8 font ",10" tc rgb network, '' using 1:2 with points pt 7 ps 0.7 lc rgb network
  unset arrow
  unset label
  set title "The same, new films, users ranked"
  set yrange [0.03:0.09]
  trained = line(fm, 2, "factorization machine", "factorization machine, trained here")
  eval published(1, .0372, "factorization machine", 0.14, -0.6)
  eval published(2, .0610, "HybridSVD", 0.14, -0.6)
  eval published(3, .0636, "scaled HybridSVD", 0.14, 0.6)
  plot line(hybridsvd, 2, "features, after_fit", "ALS with features, after the fit") using 1:2:3 with labels boxed center offset 0,-1 font ",10" tc rgb ours, \
       '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       line(hybridsvd, 2, "features, each_iteration", "in each iteration") using 1:2:3 with labels boxed left offset 0.7,0.5 font ",10" tc rgb ours, \
       '' using 1:2 with points pt 7 ps 0.7 lc rgb ours, \
       trained using 1:2:3 with labels boxed center offset 0,-1 font ",10" tc rgb network, '' using 1:2 with points pt 7 ps 0.7 lc rgb network
  unset multiplot
}
