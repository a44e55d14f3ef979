# Trials by one option. data: x y error color text. TICS: the levels; LOG: whether they are far apart
if (LOG) set logscale x
eval("set xtics (" . TICS . ")")
set xrange [LOW:HIGH]
set yrange [YLOW:YHIGH]
set format y FORMAT
plot $data using 1:2:3:(color($4)) with yerrorbars pt 7 ps 0.55 lw 1.5 dt 1 lc rgb variable, \
     '' using 1:($2 + $3 + (YHIGH - YLOW) * 0.05):5 with labels center tc rgb FG
