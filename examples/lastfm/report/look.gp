# The look of every figure. Colours are stand-ins that become the page's own, light or dark; W, H: size; YLAB, XLAB: what the axes show.
set terminal svg size W,H dynamic font "inherit,13" noenhanced
set encoding utf8
FG = "#010001"; MUTED = "#010002"; GRID = "#010003"
color(n) = 65546 + n
set border 1 lc rgb GRID
set tics nomirror scale 0 tc rgb MUTED
set grid ytics lt 1 lw 1 lc rgb GRID
set style fill solid noborder
set errorbars small
set pointintervalbox 0
unset key
set lmargin at screen 52.0/W; set rmargin at screen 1 - 16.0/W
set bmargin at screen 50.0/H; set tmargin at screen 1 - 30.0/H
set label 901 YLAB at screen 4.0/W, screen 1 - 12.0/H left tc rgb MUTED
set label 902 XLAB at graph 0.5, screen 11.0/H center tc rgb MUTED
