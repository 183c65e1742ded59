package app

import (
	"testing"

	"leadgate/store/memstore"
)

func TestARefreshTokenIsKeptForTheConfiguredOneThatItReplaces(t *testing.T) {
	tokens := refreshTokens{memstore.New()}
	for range 2 {
		if got, err := tokens.Recall(t.Context(), "granted"); got != "" || err != nil {
			t.Fatalf("before: %q, %v", got, err)
		}
	}
	for _, token := range []string{"second", "third"} {
		if err := tokens.Keep(t.Context(), "granted", token); err != nil {
			t.Fatal(err)
		}
	}
	for granted, want := range map[string]string{"granted": "third", "another": ""} {
		if got, err := tokens.Recall(t.Context(), granted); got != want || err != nil {
			t.Errorf("%s: %q, %v", granted, got, err)
		}
	}
}
