package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

const (
	leeway = 5 * time.Minute
	// channelID is the only channel of the Bot Connector service that is let in.
	channelID = "msteams"
)

// ErrRefused says that who called has not shown to be the Bot Connector service, or speaks for
// somebody who is not let in. Its words are for the log.
var ErrRefused = errors.New("refused")

// validator lets in what the Bot Connector service has signed for our bot.
type validator struct {
	appID  string
	issuer string
	keys   *keySet
	parser *jwt.Parser
}

var _ auth.TokenValidator = (*validator)(nil)

func newValidator(appID, issuer string, keys *keySet, now func() time.Time) *validator {
	return &validator{appID: appID, issuer: issuer, keys: keys, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(appID),
		jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(now),
	)}
}

type claims struct {
	jwt.RegisteredClaims
	ServiceURL string `json:"serviceurl"`
}

// AuthenticateRequest implements auth.TokenValidator. The credentials and the service of the
// adapter are not asked: who we are was settled when the validator was made. The error is
// ErrRefused, or ErrNoKeys.
func (v *validator) AuthenticateRequest(ctx context.Context, a schema.Activity, header string, _ auth.CredentialProvider, _ string) (auth.ClaimsIdentity, error) {
	token, err := bearer(header)
	if err != nil {
		return nil, err
	}
	var c claims
	var signed key
	_, err = v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		if id == "" {
			return nil, errUnknownKey
		}
		k, err := v.keys.find(ctx, id)
		signed = k
		return k.public, err
	})
	switch {
	case errors.Is(err, ErrNoKeys) || ctx.Err() != nil:
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	case a.ChannelID != channelID:
		return nil, fmt.Errorf("%w: the channel is %.40q", ErrRefused, a.ChannelID)
	case len(signed.endorsed) > 0 && !slices.Contains(signed.endorsed, a.ChannelID):
		return nil, fmt.Errorf("%w: the key does not sign for %s", ErrRefused, a.ChannelID)
	case !sameService(c.ServiceURL, a.ServiceURL):
		return nil, fmt.Errorf("%w: the token is for the service %.200q, the activity names %.200q", ErrRefused, c.ServiceURL, a.ServiceURL)
	}
	return identity(c), nil
}

// bearer returns the token of a header (RFC 6750, section 2.1); the scheme has no case (RFC 9110,
// section 11.1).
func bearer(header string) (string, error) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || strings.Count(token, ".") != 2 {
		return "", fmt.Errorf("%w: there is no bearer token", ErrRefused)
	}
	return strings.TrimSpace(token), nil
}

// identity is what the library asks of claims that are good.
type identity claims

func (i identity) IsAuthenticated() bool { return true }

// GetClaimValue never panics, whatever is asked for.
func (i identity) GetClaimValue(name string) string {
	switch name {
	case auth.IssuerClaim:
		return i.Issuer
	case auth.AudienceClaim:
		return strings.Join(i.Audience, " ")
	case auth.ServiceURLClaim:
		return i.ServiceURL
	}
	return ""
}
