# Counts in bins that double. data: low high count
set logscale xy
set format "%.0s%c"
set xtics 10; set ytics 10
stats $data using 2 nooutput name "HIGH"
stats $data using 3 nooutput name "COUNT"
set xrange [1:HIGH_max > 20 ? HIGH_max : 20]
set yrange [0.7:COUNT_max > 20 ? 1.6 * COUNT_max : 20]
plot $data using (sqrt($1 * $2)):3:1:2:(0.7):3 with boxxyerror lc rgb color(1)
