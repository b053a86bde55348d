package register

// World holds the assumptions about people and posts beyond the population itself (whose open attributes package fit
// draws). They decide how a made register looks, never what a table's cells come out as. All shares are between 0 and 1.
type World struct {
	// Coverage is registered / reconciled: who is seen at a post but not registered makes up the difference.
	// About 80 % is what the first half of 2016 suggests.
	Coverage float64
	// SeenAtPost is the share of registered returns that a post saw too.
	SeenAtPost float64
	// NoDocument is the share of people without a person key; nothing of theirs can be linked.
	NoDocument float64
	// Again is the chance that someone's return is followed by another of the same person in the period.
	Again float64
	// LeavesAgain is the share of people who are seen leaving the country, before or long after their return.
	LeavesAgain float64
	// OutsidePeriod is the number of registered returns before and after the period, per return in it, half of each.
	OutsidePeriod float64
	// OtherNationals, Transit, Deceased, DeparturePrevented and Ordinary are numbers of people per registered return:
	// registered foreigners (children born abroad), foreigners in transit, bodies, and departures that were stopped,
	// and everyday travellers in either direction (a sample: real posts see far more).
	OtherNationals, Transit, Deceased, DeparturePrevented, Ordinary float64
	// Assisted is the share of the helped whose help was written down, where the table does not say how many people
	// were helped. (Who is helped is drawn with the population: see package fit.)
	Assisted float64
	// MoreHelp is the chance that each help is followed by another.
	MoreHelp float64
	// Unattached is the number of helps to people of whom nothing else is known, per registered return, where the
	// table does not say how many people were helped.
	Unattached float64
	// Computers are the border posts' computers: how many of the 19 stand at each post before the table's own posts
	// ask for one.
	Computers []Weight
	// CentreComputers is how many computers each centre has.
	CentreComputers []Weight
	// EntryByAir, EntryByLand and EntryBySea are the posts at which people arrive whose post the fit leaves open.
	EntryByAir, EntryByLand, EntryBySea []Weight
	// MunicipalityUnknown and NationalityUnknown are shares of forms that do not say.
	MunicipalityUnknown, NationalityUnknown float64
	// Weekdays weighs the days of the week, Sunday first; HoursByAir and HoursByLand the hours of the day, 0 to 23.
	Weekdays                [7]float64
	HoursByAir, HoursByLand [24]float64
	// Kinds of help, and results of document checks at the posts.
	Kinds, DocumentChecks []Weight
}

// Weight is a code and how often it is drawn, relative to its neighbours.
type Weight struct {
	Code   string
	Weight float64
}

// DefaultWorld returns the assumptions that hold by default. That 27,086 registered returns are about 80 %
// of the arrivals of their half-year is what published figures suggest; the rest is made up to be plausible.
func DefaultWorld() *World {
	return &World{
		Coverage: 0.80, SeenAtPost: 0.95, NoDocument: 0.03, Again: 0.05, LeavesAgain: 0.04, OutsidePeriod: 0.006,
		OtherNationals: 0.01, Transit: 0.03, Deceased: 0.001, DeparturePrevented: 0.002, Ordinary: 0.15,
		Assisted: 0.45, MoreHelp: 0.25, Unattached: 0.002,
		Computers: []Weight{{"L-COR", 4}, {"L-AGC", 2}, {"L-FLO", 1}, {"L-POY", 1}, {"L-AMA", 2}, {"L-GUA", 1}, {"L-FRA", 1},
			{"L-LMA", 1}, {"A-SAP", 3}, {"A-TGU", 1}, {"A-LCE", 1}, {"S-PCR", 1}},
		CentreComputers:     []Weight{{"CAMR-SPS", 3}, {"CAMR-OMO", 3}, {"CANFM-BEL", 2}, {"CAMR-TGU", 1}, {"MOD-COR", 1}},
		EntryByAir:          []Weight{{"A-SAP", 0.95}, {"A-TGU", 0.04}, {"A-LCE", 0.01}},
		EntryByLand:         []Weight{{"L-COR", 0.86}, {"L-AGC", 0.11}, {"L-FLO", 0.01}, {"L-AMA", 0.01}, {"L-GUA", 0.005}, {"L-LMA", 0.005}},
		EntryBySea:          []Weight{{"S-PCR", 0.7}, {"S-OMO", 0.3}},
		MunicipalityUnknown: 0.02, NationalityUnknown: 0.01,
		Weekdays:    [7]float64{0.4, 1, 1.1, 1.1, 1.1, 1, 0.5},
		HoursByAir:  [24]float64{.05, .02, .02, .02, .02, .05, .2, .8, 2, 3, 3, 2.5, 2, 2, 1.5, 1, .8, .5, .3, .2, .1, .1, .1, .1},
		HoursByLand: [24]float64{.4, .4, .5, .8, 1.5, 2.5, 2.5, 2, 1.5, 1, 1, 1, 1, 1, 1, 1.2, 1.5, 1.8, 2, 2, 1.5, 1, .8, .6},
		Kinds: []Weight{{"food", 0.34}, {"hygiene_kit", 0.18}, {"clothing", 0.07}, {"medicine", 0.04}, {"medical", 0.06}, {"psychological", 0.04},
			{"phone_call", 0.09}, {"transport", 0.13}, {"lodging", 0.02}, {"information", 0.03}},
		DocumentChecks: []Weight{{"not_checked", 0.20}, {"genuine", 0.72}, {"suspected_false", 0.01}, {"confirmed_false", 0.005},
			{"none_carried", 0.05}, {"", 0.015}},
	}
}
