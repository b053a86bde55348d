# Base R on a computer of another time zone reads what ClickHouse gives as CSV: Rscript zones.R HOST:PORT
# Prints a line, name and value, for each way to ask; the time zone is that of TZ.
address <- commandArgs(trailingOnly = TRUE)[1]
honduras <- "America/Tegucigalpa"

ask <- function(query) {
  query <- paste(query, "FORMAT CSVWithNames")
  read.csv(url(paste0("http://", address, "/?database=ceniss&query=", URLencode(query, reserved = TRUE))), stringsAsFactors = FALSE)
}
count <- function(name, what, value) cat(name, ask(sprintf("SELECT count() AS n FROM %s'%s'", what, value))$n, "\n")

day <- as.Date("2016-06-30")
midnight <- as.POSIXct("2016-07-01 00:00:00", tz = honduras)
count("R.on", "returns WHERE day = ", day)
count("R.until", "returns WHERE half_year = '2016-S1' AND day <= ", day)
count("R.before", "sources WHERE last_seen < ", format(midnight, tz = honduras))

days <- table(as.Date(ask("SELECT day FROM returns")$day))
cat("R.kept", sum(days[as.Date(names(days)) <= day & as.Date(names(days)) >= as.Date("2016-01-01")]), "\n")
for (d in names(days)) cat(paste0("R.", d), days[[d]], "\n")
seen <- ask("SELECT source, last_seen FROM sources ORDER BY source")
at <- as.POSIXct(seen$last_seen, tz = honduras)
cat("R.earlier", sum(at < midnight), "\n")
for (i in seq_along(at)) cat(paste0("R.", seen$source[i]), format(at[i], "%Y-%m-%dT%H:%M:%SZ", tz = "UTC"), format(at[i], "%Y-%m-%dT%H:%M", tz = honduras), "\n")
