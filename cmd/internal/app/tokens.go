package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"leadgate/channels/oauth"
	"leadgate/intake"
)

// refreshTokens keeps the refresh tokens of mailboxes in the store. They are found by the
// hash of the configured one, so that a new one in the configuration begins anew.
type refreshTokens struct{ store intake.Store }

var _ oauth.Memory = refreshTokens{}

func tokenName(granted string) string {
	sum := sha256.Sum256([]byte(granted))
	return "refresh-token-" + hex.EncodeToString(sum[:16])
}

func (r refreshTokens) Recall(ctx context.Context, granted string) (string, error) {
	return intake.KeptSecret(ctx, r.store, tokenName(granted))
}

func (r refreshTokens) Keep(ctx context.Context, granted, token string) error {
	return intake.KeepSecret(ctx, r.store, tokenName(granted), token)
}
