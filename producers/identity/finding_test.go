package identity

import "testing"

// TestDocumentHashesAreReleased: offices of different releases must find the same document, so that these values never change. No hash is a person
// key or that of another purpose.
func TestDocumentHashesAreReleased(t *testing.T) {
	s, err := NewSecret("0123456789abcdef0123456789abcdef-test")
	if err != nil {
		t.Fatal(err)
	}
	d := Document{Number: "0801-1985-00123"}
	hash, err := s.DocumentHash(d)
	if err != nil || hash != "23f2e9666bbc97aac11a5bdfc8108dd7" {
		t.Errorf("%s %v", hash, err)
	}
	id, err := s.FindingID("0190f5fe-7c00-7a00-8000-000000000001")
	if err != nil || id != "061a314a9c2b359958f60c455f4ea4dd" {
		t.Errorf("%s %v", id, err)
	}
	key, err := s.Key(d)
	if err != nil || key == hash {
		t.Errorf("%s is a person key, %v", key, err)
	}
	if same, err := s.DocumentHash(Document{Country: "hn", Type: NationalID, Number: "0801198500123"}); err != nil || same != hash {
		t.Errorf("%s %v", same, err)
	}
	if none, err := s.DocumentHash(Document{Type: Folio, Number: "COR1-000123-Z"}); err != nil || none != "" {
		t.Errorf("a slip has the hash %s, %v", none, err)
	}
	if _, err := (Secret{}).DocumentHash(d); err == nil {
		t.Error("a hash without a secret")
	}
}
