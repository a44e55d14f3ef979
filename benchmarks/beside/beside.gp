# The picture of docs/performance.md: gnuplot -e "data='ratios.txt'" beside.gp > performance.svg
set terminal svg size 980,960 font "sans-serif,12" background rgb "white"
set datafile separator "\t"
set multiplot layout 3,2
set border 3 lc rgb "#888888"
set tics nomirror tc rgb "#444444"
set grid ytics lc rgb "#dddddd"
set logscale y
set ytics (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border rgb "white"
set key above samplen 1
set bmargin 5
set ylabel "times Kindred's time"
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lw 1.5 lc rgb "#222222" front
array colours[5] = ["#0b5fa5", "#c8500a", "#7a7a7a", "#2a8a5a", "#8a4aa0"]
array titles[5] = ["One iteration, by factors", "160,112 items, by factors", "Lists of ten, by items and factors", \
                   "Similar items, by items and factors", "To a quality; reading"]
do for [panel = 1:5] {
  stats data index panel - 1 using 2 nooutput
  columns = STATS_columns
  set title titles[panel]
  set yrange [0.5:*]
  if (panel == 5) {
    plot data index 4 every ::1 using 2:xtic(1) lc rgb "#0b5fa5" notitle
  } else {
    plot for [c = 2:columns] data index panel - 1 using c:xtic(1) lc rgb colours[c + (panel > 1) * 3 - 1] title columnheader(c)
  }
}
