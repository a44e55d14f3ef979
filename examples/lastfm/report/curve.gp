# One quantity over iterations. data: x y
set format y FORMAT
set xtics 5
set yrange [YLOW:YHIGH]
plot $data using 1:2 with lines lw 2.5 lc rgb color(C), '' using 1:2 with points pt 7 ps 0.5 lc rgb color(C)
