# Quality against seconds of fit, from the tables that the programs print:
#   gnuplot -e "ncf='ncf.txt'; neumf='neumf.txt'; gowalla='gowalla.txt'" compare.gp > compare.svg
# Points are what ran; lines are published figures, which came without seconds.
set terminal svg size 980,430 font "sans-serif,12" background rgb "white"
set multiplot layout 1,2
set border 3 lc rgb "#888888"
set tics nomirror tc rgb "#444444"
set grid ytics lc rgb "#dddddd"
set datafile separator "|"
set logscale x
set xlabel "seconds of fit, two cores"
unset key
set style data points

set title "MovieLens 1M, one film among 100"
set ylabel "HR\\@10"
set xrange [0.3:10000]
set yrange [0.55:0.76]
set arrow 1 from 0.3,0.7093 to 10000,0.7093 nohead dt 2 lc rgb "#c8500a"
set label 1 "NeuMF, published" at 0.35,0.704 tc rgb "#c8500a"
set arrow 2 from 0.3,0.7294 to 10000,0.7294 nohead dt 2 lc rgb "#888888"
set label 2 "MF by SGD, published" at 500,0.734 tc rgb "#666666"
plot ncf using 5:3 with points pt 7 ps 0.8 lc rgb "#0b5fa5", '' using 5:3:2 with labels left offset 0.6,0.4 font ",10" tc rgb "#0b5fa5", \
     neumf using 5:(strcol(2) eq " NeuMF, trained here " ? column(3) : NaN) with points pt 7 ps 0.8 lc rgb "#c8500a", \
     '' using 5:(strcol(2) eq " NeuMF, trained here " ? column(3) : NaN):2 with labels left offset 0.6,0.4 font ",10" tc rgb "#c8500a"

unset arrow
unset label
set title "Gowalla, all places ranked"
set ylabel "Recall\\@20"
set xrange [0.3:300]
set yrange [0.11:0.2]
set arrow 1 from 0.3,0.1830 to 300,0.1830 nohead dt 2 lc rgb "#c8500a"
set label 1 "LightGCN" at 100,0.1845 tc rgb "#c8500a"
set arrow 2 from 0.3,0.1344 to 300,0.1344 nohead dt 2 lc rgb "#c8500a"
set label 2 "NeuMF" at 100,0.1359 tc rgb "#c8500a"
set arrow 3 from 0.3,0.1941 to 300,0.1941 nohead dt 2 lc rgb "#888888"
set label 3 "ChebyCF" at 100,0.1956 tc rgb "#666666"
plot gowalla using 5:3 with points pt 7 ps 0.8 lc rgb "#0b5fa5", '' using 5:3:2 with labels left offset 0.6,0.4 font ",10" tc rgb "#0b5fa5"
