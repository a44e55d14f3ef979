# The picture of docs/settings.md: gnuplot -e "data='curves.tsv'" option_curves.gp > option_curves.svg
set terminal svg size 900,560 font "sans-serif,12" background rgb "white"
set multiplot layout 2,3
set border 3 lc rgb "#888888"
set tics nomirror tc rgb "#444444"
set grid ytics lc rgb "#dddddd"
set yrange [0:1]
set key top right samplen 2
array names[6] = ["regularization", "background.ratio", "background.item\\_exponent", "confidence.popularity\\_damping", "confidence.base", "factors"]
do for [n = 1:6] {
  if (n == 1 || n == 2 || n == 6) { set logscale x } else { unset logscale x }
  if (n == 2 || n == 6) { set xtics 4 } else { if (n == 1) { set xtics auto } else { set xtics 0.2 } }
  set title names[n]
  if (n > 1) { unset key }
  plot data index n - 1 using 2:3 with linespoints pt 7 ps 0.6 lw 2 lc rgb "#0b5fa5" title "NDCG\\@10", \
       '' index n - 1 using 2:4 with linespoints pt 7 ps 0.6 lw 2 lc rgb "#c8500a" title "coverage\\@10"
}
