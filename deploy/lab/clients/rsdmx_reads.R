# rsdmx, as it comes, reads every dataflow of the SDMX 2.1 service: Rscript rsdmx_reads.R BASE WANT
suppressMessages(library(rsdmx))
args <- commandArgs(trailingOnly = TRUE)
base <- paste0(args[1], "/sdmx/2.1")
want <- jsonlite::fromJSON(args[2], simplifyVector = FALSE)

builder <- SDMXREST21RequestBuilder(regUrl = base, repoUrl = base, compliant = TRUE)
addSDMXServiceProvider(SDMXServiceProvider(agencyId = "CENISS", name = "CENISS", builder = builder))

flows <- as.data.frame(readSDMX(providerId = "CENISS", resource = "dataflow", logger = NULL))
stopifnot(all(names(want) %in% flows$id), nrow(flows) >= length(want))

# described names an observation by its dimensions that are no totals, and says what was published of it.
described <- function(key, value, status, conf, vintage) {
  key <- key[!is.na(key) & key != "_T" & names(key) != "FREQ"]
  key <- key[order(names(key), method = "radix")]
  paste(paste(names(key), key, sep = "=", collapse = " "), if (is.na(value)) "withheld" else format(value, scientific = FALSE), status, conf, vintage)
}

read <- 0
for (flow in names(want)) {
  # One dataflow is read whole, the others in the half-year that was revised: rsdmx takes minutes for all.
  year <- if (flow == "T1") NULL else 2014
  all <- want[[flow]]
  if (!is.null(year)) all <- Filter(function(o) startsWith(o$key$TIME_PERIOD, "2014"), all)
  got <- as.data.frame(readSDMX(providerId = "CENISS", resource = "data", flowRef = flow, start = year, end = year, logger = NULL))
  names(got)[names(got) == "obsTime"] <- "TIME_PERIOD"
  dimensions <- setdiff(names(got), c("obsValue", "OBS_STATUS", "CONF_STATUS", "VINTAGE", "COVERAGE", "BASE"))
  codes <- as.matrix(got[, dimensions])
  seen <- vapply(seq_len(nrow(got)), function(i) {
    described(codes[i, ], got$obsValue[i], got$OBS_STATUS[i], got$CONF_STATUS[i], got$VINTAGE[i])
  }, "")
  wanted <- vapply(all, function(o) {
    described(unlist(o$key), if (is.null(o$value)) NA else o$value, o$status, o$conf, o$vintage)
  }, "")
  if (!setequal(seen, wanted) || length(seen) != length(wanted)) {
    print(head(setdiff(wanted, seen)))
    print(head(setdiff(seen, wanted)))
    stop(flow, " is not what was published")
  }
  read <- read + length(seen)
}

# With the data structure, which it finds by the name in the message, it adds the labels of both languages.
key <- list("S", NULL, "registered")
some <- readSDMX(providerId = "CENISS", resource = "data", flowRef = "T2", key = key, start = 2016, end = 2016, dsd = TRUE, logger = NULL)
labelled <- suppressWarnings(as.data.frame(some, labels = TRUE)) # it warns of codes that it looks up by parts of their names
corinto <- labelled[labelled$EXIT_POINT == "L-COR" & labelled$obsTime == "2016-S1", ]
stopifnot(nrow(corinto) == 1, corinto$obsValue == 17064, corinto$EXIT_POINT_label.es == "Corinto", corinto$SOURCE_label.en == "Registered at a centre")
cat(read, "observations of", length(want), "dataflows: ok\n")
