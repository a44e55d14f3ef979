# The picture of docs/compare.md, quality against seconds of fit, from the tables that the programs print:
#   gnuplot -e "ncf='ncf.txt'; neumf='neumf.txt'; hetrec='hetrec.txt'" compare.gp > compare.svg
# Points are what ran; lines are published figures, which come without seconds.
set terminal svg size 980,430 font "sans-serif,12" background rgb "white"
set multiplot layout 1,2
set border 3 lc rgb "#888888"
set tics nomirror tc rgb "#444444"
set grid ytics lc rgb "#dddddd"
set datafile separator "\t"
set logscale x
set xlabel "seconds of fit"
unset key
# Seconds, figure, name of the rows of a table that have seconds; `names`: the rows wanted.
rows(file, figure, seconds, names) = sprintf("< awk -F' *[|] *' -v OFS='\t' '/^\\| / && $%d + 0 >= 0.01 && $2 ~ /^(%s)$/ {print $%d, $%d + 0, $2}' '%s'", \
                                             seconds, names, seconds, figure, file)

set title "MovieLens 1M, one film among 100"
set ylabel "HR\\@10"
set xrange [0.4:2000]
set yrange [0.55:0.75]
set arrow 1 from 0.4,0.7093 to 2000,0.7093 nohead dt 2 lc rgb "#c8500a"
set label 1 "NeuMF, published" at 60,0.7035 tc rgb "#c8500a"
set arrow 2 from 0.4,0.7294 to 2000,0.7294 nohead dt 2 lc rgb "#888888"
set label 2 "MF by SGD, published" at 60,0.7245 tc rgb "#666666"
left = rows(ncf, 3, 5, "ALS")
right = rows(ncf, 3, 5, "item neighbours|EASE|ALS, tuned under this protocol")
network = rows(neumf, 3, 5, "NeuMF, trained here")
plot left using 1:2 with points pt 7 ps 0.7 lc rgb "#0b5fa5", '' using 1:2:3 with labels right offset -0.7,0.5 font ",10" tc rgb "#0b5fa5", \
     right using 1:2 with points pt 7 ps 0.7 lc rgb "#0b5fa5", '' using 1:2:3 with labels left offset 0.7,0.5 font ",10" tc rgb "#0b5fa5", \
     network using 1:2 with points pt 7 ps 0.7 lc rgb "#c8500a", '' using 1:2:3 with labels center offset 0,-1 font ",10" tc rgb "#c8500a"

unset arrow
unset label
set title "HetRec 2011 Last.fm, a fifth of each user's artists" offset -2,0
set ylabel "NDCG\\@10"
set xrange [0.01:20]
set yrange [0.2:0.32]
all = rows(hetrec, 5, 8, "[^p].*")
plot all using 1:2 with points pt 7 ps 0.7 lc rgb "#0b5fa5", '' using 1:2:3 with labels left offset 0.7,0.3 font ",10" tc rgb "#0b5fa5"
