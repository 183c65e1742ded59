package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"leadgate/intake"
)

func TestACallOfACRMIsAnsweredOnceItIsKept(t *testing.T) {
	for _, tt := range []struct {
		name, path, body string
		answer           intake.CRMAnswer
		err              error
		status           int
		said             string
	}{
		{"a call that is kept", "/hooks/crm/hubspot?a=b", "[1]", intake.CRMAnswer{}, nil, http.StatusNoContent, ""},
		{"one whose caller wants words", "/hooks/crm/salesforce", "<x/>", intake.CRMAnswer{MediaType: "text/xml", Body: []byte("<Ack/>")}, nil, http.StatusOK, "<Ack/>"},
		{"one that is not proven", "/hooks/crm/hubspot", "[1]", intake.CRMAnswer{}, intake.ErrUnproven, http.StatusUnauthorized, ""},
		{"one of nobody", "/hooks/crm/nobody", "[1]", intake.CRMAnswer{}, intake.ErrNoHints, http.StatusNotFound, ""},
		{"one that could not be kept", "/hooks/crm/hubspot", "[1]", intake.CRMAnswer{}, errors.New("disk"), http.StatusServiceUnavailable, ""},
		{"one that is too large", "/hooks/crm/hubspot", strings.Repeat("x", maxCRMCall+1), intake.CRMAnswer{}, nil, http.StatusRequestEntityTooLarge, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEcho(slog.New(slog.DiscardHandler))
			asked := 0
			crmCalls{base: "https://partners.example/", log: slog.New(slog.DiscardHandler), hint: func(_ context.Context, crm, url string, _ *http.Request, body []byte) (intake.CRMAnswer, error) {
				asked++
				if !strings.HasSuffix(strings.SplitN(tt.path, "?", 2)[0], "/"+crm) || url != "https://partners.example"+tt.path || string(body) != tt.body {
					t.Errorf("asked for %s at %s about %q", crm, url, body)
				}
				return tt.answer, tt.err
			}}.mount(e)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, tt.path, strings.NewReader(tt.body)))
			said, err := io.ReadAll(w.Body)
			if tt.said == "" && w.Code == http.StatusRequestEntityTooLarge {
				said = nil
			}
			if err != nil || w.Code != tt.status || string(said) != tt.said {
				t.Errorf("answered %d %q, want %d %q", w.Code, said, tt.status, tt.said)
			}
			if (asked == 0) != (tt.status == http.StatusRequestEntityTooLarge) {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}
