# A bar a row, its label above it and its value behind it. data: label value low high text color. MAX: longest bar; ROOM: pixels for the text
unset border; unset tics; unset grid
unset label 901; unset label 902
set lmargin at screen 4.0/W; set rmargin at screen 1 - 4.0/W; set tmargin at screen 1; set bmargin at screen 0
set xrange [0:MAX * (W - 8) / (W - 8 - ROOM)]
set yrange [-ROWS:0]
middle(n) = -n - 0.66
plot $data using (0):(-$0 - 0.26):1 with labels left tc rgb FG, \
     '' using (0):(middle($0)):(0):2:(middle($0) - 0.2):(middle($0) + 0.2):(color($6)) with boxxyerror lc rgb variable, \
     '' using ($3 < $4 ? $2 : NaN):(middle($0)):3:4 with xerrorbars pt -1 lw 1.5 lc rgb FG, \
     '' using (($4 > $2 ? $4 : $2) + 8 * MAX / W):(middle($0)):5 with labels left tc rgb MUTED
