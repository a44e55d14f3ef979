# Trials: loss against precision. data: x y error color text above. What is above (1) or below (-1) its point is said in the data
set format x "%g"; set format y FORMAT; set xtics STEP
set xrange [LOW:HIGH]; set yrange [YLOW:YHIGH]
plot $data using 1:2:3:(color($4)) with yerrorbars pt 7 ps 0.6 lw 1.5 dt 1 lc rgb variable, \
     '' using 1:($2 + $6 * ($3 + (YHIGH - YLOW) * 0.05)):5 with labels center tc rgb FG
