# A dot for every interaction of a sample of users and artists. data: artist user
set xrange [-1:ITEMS]; set yrange [USERS:-1]
unset tics; unset grid
set border 15 lc rgb GRID
set lmargin at screen 4.0/W; set rmargin at screen 1 - 4.0/W; set tmargin at screen 1 - 4.0/H; set bmargin at screen 4.0/H
plot $data using 1:2 with points pt 5 ps (W - 8.0) / ITEMS / 9 lc rgb color(1)
