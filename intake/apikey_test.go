package intake_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

func (w *world) mint(partner, lastDay string) (intake.APIKey, string) {
	w.Helper()
	k, token, err := w.gateway.MintAPIKey(w.Context(), partner, "portal", lastDay, "mia")
	if err != nil {
		w.Fatal(err)
	}
	return k, token
}

func TestAKeyIsShownOnceAndOnlyItsHashIsKept(t *testing.T) {
	inWorld(t, func(w *world) {
		k, token := w.mint("Alpha ", "")
		if !regexp.MustCompile(`^lgk_[0-9a-z]{12}_[0-9A-Za-z]{49}$`).MatchString(token) || !strings.Contains(token, k.ID) || k.Partner != "alpha" || k.CreatedBy != "mia" {
			w.Errorf("%s, %+v", token, k)
		}
		_, other := w.mint("alpha", "")
		if other == token {
			w.Error("two keys are the same")
		}
		secret := token[len("lgk_")+13 : len(token)-6]
		err := w.store.View(w.Context(), func(tx intake.Tx) error {
			all, err := tx.ScanRecords("api_key", "", "", 10)
			for _, e := range all {
				if strings.Contains(string(e.Value), secret) {
					w.Errorf("the secret is stored: %s", e.Value)
				}
			}
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		list, err := w.gateway.APIKeys(w.Context(), "alpha")
		if err != nil || len(list) != 2 {
			w.Fatal(err, list)
		}
		if b, _ := json.Marshal(list); strings.Contains(string(b), "hash") || strings.Contains(w.log.String(), secret) {
			w.Errorf("listed as %s", b)
		}
		for i := range len(token) {
			for _, c := range []byte("a1") {
				if token[i] == c {
					continue
				}
				wrong := []byte(token)
				wrong[i] = c
				if _, err := w.gateway.Authenticate(w.Context(), string(wrong)); !errors.Is(err, intake.ErrKeyInvalid) {
					w.Errorf("%s: %v", wrong, err)
				}
			}
		}
	})
}

func TestAKeyWorksUntilItsLastDayIsOverOrItIsRevoked(t *testing.T) {
	inWorld(t, func(w *world) {
		day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
		_, token := w.mint("alpha", day(2))
		works := func(token string, want error) {
			w.Helper()
			if _, err := w.gateway.Authenticate(w.Context(), token); !errors.Is(err, want) {
				w.Errorf("%v, want %v", err, want)
			}
		}
		works(token, nil)
		w.pass(2 * 24 * time.Hour)
		works(token, nil)
		w.pass(24 * time.Hour)
		works(token, intake.ErrKeyInvalid)

		k, token := w.mint("alpha", "")
		works(token, nil)
		if got, err := w.gateway.RevokeAPIKey(w.Context(), k.ID, "jo"); err != nil || got.RevokedBy != "jo" {
			w.Error(err, got)
		}
		works(token, intake.ErrKeyInvalid)
		if got, err := w.gateway.RevokeAPIKey(w.Context(), k.ID, "mia"); err != nil || got.RevokedBy != "jo" || got.CreatedBy != "mia" || got.Used == "" {
			w.Errorf("who revoked it first is forgotten: %v %+v", err, got)
		}
		if _, err := w.gateway.RevokeAPIKey(w.Context(), "nokey", "mia"); !errors.Is(err, intake.ErrNotFound) {
			w.Error(err)
		}
		for _, tt := range []struct{ partner, name, lastDay, by, want string }{
			{"nobody", "x", "", "mia", "no partner is nobody"},
			{"alpha", " ", "", "mia", "needs a name"},
			{"alpha", "x", "soon", "mia", "is not a day"},
			{"alpha", "x", day(-1), "mia", "is over"},
			{"alpha", "x", "", "", "who decides"},
		} {
			var input *intake.ErrInput
			if _, _, err := w.gateway.MintAPIKey(w.Context(), tt.partner, tt.name, tt.lastDay, tt.by); !errors.As(err, &input) || !strings.Contains(err.Error(), tt.want) {
				w.Errorf("%v, want %s", err, tt.want)
			}
		}
	})
}

func TestKeysOfPartnersWhoAreOutDoNotWork(t *testing.T) {
	inWorld(t, func(w *world) {
		_, token := w.mint("alpha", "")
		alpha, err := w.gateway.Partner(w.Context(), "alpha")
		if err != nil {
			w.Fatal(err)
		}
		tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
		for _, tt := range []struct {
			status intake.PartnerStatus
			from   time.Time
			want   error
		}{
			{intake.PartnerActive, time.Time{}, nil},
			{intake.PartnerActive, tomorrow, intake.ErrPartnerBarred},
			{intake.PartnerSuspended, time.Time{}, intake.ErrPartnerBarred},
			{intake.PartnerSuspended, tomorrow, nil},
			{intake.PartnerOffboarding, yesterday, nil},
			{intake.PartnerOffboarded, yesterday, intake.ErrPartnerBarred},
		} {
			alpha.Status, alpha.StatusFrom = tt.status, tt.from
			if err := w.gateway.PutPartners(w.Context(), []intake.Partner{alpha}); err != nil {
				w.Fatal(err)
			}
			if _, err := w.gateway.Authenticate(w.Context(), token); !errors.Is(err, tt.want) {
				w.Errorf("%s from %v: %v, want %v", tt.status, tt.from, err, tt.want)
			}
		}
	})
}

func TestOnlyWhoLooksAfterAPartnerMakesItsKeys(t *testing.T) {
	w := newWorldWith(t, memstore.New(), func(o *intake.Options) {
		o.Staff = []intake.Staff{
			{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}, Partners: []string{"alpha"}},
			{Name: "ada", Email: "ada@vendor.example", Roles: []intake.Role{intake.RoleAdmin}},
			{Name: "vic", Email: "vic@vendor.example", Roles: []intake.Role{intake.RoleViewer}},
		}
	})
	for who, may := range map[string][2]bool{"mia@vendor.example": {true, false}, "ada": {true, true}, "vic": {false, false}, "eve": {false, false}} {
		for i, partner := range []string{"alpha", "beta"} {
			k, _, err := w.gateway.MintAPIKey(w.Context(), partner, "x", "", who)
			if (err == nil) != may[i] || err == nil && strings.Contains(k.CreatedBy, "@") {
				t.Errorf("%s for %s: %v, %+v", who, partner, err, k)
			}
		}
	}
}

func TestTheDayOfTheLastUseIsNotedAndNoMore(t *testing.T) {
	inWorld(t, func(w *world) {
		k, token := w.mint("alpha", "")
		used := func() string {
			all, err := w.gateway.APIKeys(w.Context(), "")
			if err != nil || all[0].ID != k.ID {
				w.Fatal(err, all)
			}
			return all[0].Used
		}
		if used() != "" {
			w.Error("it was never used")
		}
		for range 3 {
			if _, err := w.gateway.Authenticate(w.Context(), token); err != nil {
				w.Fatal(err)
			}
			if got, want := used(), time.Now().UTC().Format(time.DateOnly); got != want {
				w.Errorf("used on %s, want %s", got, want)
			}
			w.pass(24 * time.Hour)
		}
	})
}
