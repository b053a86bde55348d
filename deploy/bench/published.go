package bench

// Published is a figure that somebody else has published: of other events, on another machine, not measured here.
type Published struct {
	Who    string `json:"who"`
	What   string `json:"what"`
	Source string `json:"source"`
}

func publishedByOthers() []Published { return nil }
