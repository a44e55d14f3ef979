# Ratios of medians on one thread, of the tables that beside prints, for beside.gp: a block a panel, a row a size, a column a rival.
# A row's label is the size's numbers, or the task and the factors where all items are the same.
function label(task, size, words) {
  split(size, words, /[^0-9]+/)
  if (file == "iteration") return words[1]
  return (file == "lists" ? task : words[1]) "\\n" words[2]
}
FNR == 1 { file = FILENAME; sub(/\.md$/, "", file) }
file == "quality" && $2 ~ /^Kindred/ { kindred = $5 }
file == "quality" && $2 ~ /^3 CG/ { once["to .99 of the\\nbest NDCG:\\n3 CG steps"] = $5 / kindred; next }
NF < 8 || $4 != 1 || $8 == "1.00" && $5 ~ /^Kindred/ { next }
file == "reading" { once["reading plays:\\npandas"] = $8; next }
{
  row = label($2, $3)
  if (!((file, row) in seen)) { seen[file, row] = 1; rows[file, ++n_rows[file]] = row }
  if (!((file, $5) in seen)) { seen[file, $5] = 1; rivals[file, ++n_rivals[file]] = $5 }
  ratio[file, row, $5] = $8
}
END {
  split("iteration lists small", panels, " ")
  for (p = 1; p <= 3; ++p) {
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
  for (row in once) print "\"" row "\"\t" once[row]
}
