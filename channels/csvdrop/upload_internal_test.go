package csvdrop

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop/result"
	"leadgate/channels/csvdrop/sheet"
)

// The server gives a request half a minute. What comes slowly is given more, but not for ever.
func TestABodyIsGivenTimeBeyondTheDeadlineOfTheServer(t *testing.T) {
	for name, tt := range map[string]struct {
		until time.Duration
		want  error
	}{"as long as something comes": {longest, nil}, "until all of its time is over": {-time.Second, os.ErrDeadlineExceeded}} {
		t.Run(name, func(t *testing.T) {
			got := make(chan error, 1)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := http.NewResponseController(w)
				if err := answer.SetReadDeadline(time.Now().Add(-time.Second)); err != nil { // as the server's has passed
					t.Error(err)
				}
				_, err := io.Copy(io.Discard, patient{r.Body, answer, time.Now().Add(tt.until)})
				got <- err
			}))
			defer srv.Close()
			resp, err := http.Post(srv.URL, "text/csv", strings.NewReader(strings.Repeat("x", 1<<20)))
			if err == nil {
				resp.Body.Close()
			}
			if err := <-got; !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestAResultIsCalledAsItsListIs(t *testing.T) {
	for list, want := range map[string]string{
		"leads.csv": "leads-result.csv", "leads-result.xlsx": "leads-result.csv", "": "result.csv", "../../etc/passwd": "..-..-etc-passwd-result.csv",
		"Größe.v2.csv": "Größe.v2-result.csv", "a\u202egnp.csv": "agnp-result.csv",
		"Liste-Ergebnis.csv": "Liste-result.csv",
	} {
		if got, media := ResultName(list, result.Options{Format: sheet.FormatDelimited}); got != want || media != MediaCSV {
			t.Errorf("%q is %q, want %q", list, got, want)
		}
	}
}
