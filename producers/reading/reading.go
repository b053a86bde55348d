// Package reading reads dates, times of day and ages as people in Honduras write them, in an export of another system as on
// a form.
//
// It promises one answer for one text wherever it was written, and days by the calendar alone: no clock, no I/O, no zone of the
// machine. It never guesses an order of day and month: the caller states it. On failure: a text that is no date, no time or no
// age is answered with false.
package reading
