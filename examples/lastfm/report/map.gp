# Artists in the plane. data: x y color size label label_x label_y, all in shares of the picture; a label of 0 is none
unset border; unset tics; unset grid; unset label 901; unset label 902
set lmargin at screen 0; set rmargin at screen 1; set tmargin at screen 1; set bmargin at screen 0
set xrange [0:1]; set yrange [0:1]
plot $data using 1:2:4:(color($3)) with points pt 7 ps variable lc rgb variable, \
     '' using (strcol(5) eq "0" ? NaN : $6):7:5 with labels center tc rgb FG
