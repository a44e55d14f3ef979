# A line a model, its name at its end. data: blocks of x y; ends: x y label color. ROOM: pixels for the names; TICS: places and names of ticks
set rmargin at screen 1 - ROOM/W
eval("set xtics (" . TICS . ")")
set xrange [LOW:HIGH]; set yrange [0:YHIGH]
set format y FORMAT
plot for [n = 0:LINES - 1] $data index n using 1:2 with linespoints lw (n == THICK ? 3.5 : 2) pt 7 ps 0.5 dt 0 + (n < 3 ? n + 1 : 1) lc rgb color(word(COLORS, n + 1) + 0), \
     $ends using 1:2:3:(color($4)) with labels left offset 0.8,0 tc rgb variable
