# Ratios of medians on one thread, of the tables that beside prints, for beside.gp: a block a panel, a row a size, a column a rival.
# A row's label is the size's numbers, or the task and the factors where all items are the same.
function label(task, size, words) {
  split(size, words, /[^0-9]+/)
  if (file == "iteration") return words[1]
  return (file == "lists" ? task : words[1]) "\\n" words[2]
}
function add_once(row, ratio) {
  once_rows[++n_once] = row
  once[n_once] = ratio
}
FNR == 1 { file = FILENAME; sub(/\.md$/, "", file) }
file == "quality" && $5 ~ /^Kindred/ { kindred = $8 + 0 }
file == "quality" && $5 ~ /^3 CG/ { add_once("to an NDCG,\\n3 CG steps:\\n" $2, ($8 + 0) / kindred) }
file == "quality" || NF < 8 || $4 != 1 || $5 ~ /^Kindred/ { next }
file == "reading" { add_once("reading plays:\\npandas", $8); next }
{
  panel = file == "small" && $2 == "similar items" ? "similar" : file
  row = label($2, $3)
  if (!((panel, row) in seen)) { seen[panel, row] = 1; rows[panel, ++n_rows[panel]] = row }
  if (!((panel, $5) in seen)) { seen[panel, $5] = 1; rivals[panel, ++n_rivals[panel]] = $5 }
  ratio[panel, row, $5] = $8
}
END {
  split("iteration lists small similar", panels, " ")
  for (p = 1; p <= 4; ++p) {
    file = panels[p]
    line = "size"
    for (r = 1; r <= n_rivals[file]; ++r) line = line "\t\"" rivals[file, r] "\""
    print line
    for (n = 1; n <= n_rows[file]; ++n) {
      line = "\"" rows[file, n] "\""
      for (r = 1; r <= n_rivals[file]; ++r) line = line "\t" ratio[file, rows[file, n], rivals[file, r]]
      print line
    }
    print "\n"
  }
  print "size\tratio"
  for (n = 1; n <= n_once; ++n) print "\"" once_rows[n] "\"\t" once[n]
}
