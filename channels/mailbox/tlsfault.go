package mailbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"
)

// tlsFault says why a connection could not be protected and what to do about it. Nobody has
// logged in, and no password was sent.
type tlsFault struct {
	advice string
	err    error
}

func (e *tlsFault) Error() string { return e.advice + " [" + e.err.Error() + "]" }
func (e *tlsFault) Unwrap() error { return e.err }

// explainTLS finds what is wrong. key is the section of the configuration, host the name
// that was connected to.
func explainTLS(err error, key, host string) error {
	advice := certificateAdvice(err, key, host)
	var header tls.RecordHeaderError
	var imapStatus *imap.Error
	var smtpStatus *smtp.SMTPError
	switch {
	case advice != "":
	case errors.As(err, &header):
		advice = fmt.Sprintf("the server does not speak TLS on this port; set %s.tls: starttls, or another %s.port", key, key)
	case strings.Contains(err.Error(), "PREAUTH"):
		advice = fmt.Sprintf("the server says that we are logged in before the connection is protected; somebody may stand between. Set %s.tls: implicit", key)
	case errors.As(err, &imapStatus), strings.Contains(err.Error(), "support STARTTLS"), errors.As(err, &smtpStatus) && slices.Contains(noSTARTTLS, smtpStatus.Code):
		advice = fmt.Sprintf("the server offers no STARTTLS, or somebody between takes it away. Set %s.tls: implicit, or have STARTTLS switched on", key)
	default:
		return err
	}
	return &tlsFault{advice: "not logged in, the password was not sent: " + advice, err: err}
}

// noSTARTTLS are the replies of SMTP servers that do not have it (RFC 3207, section 4).
var noSTARTTLS = []int{454, 500, 501, 502, 503, 504, 554}

func certificateAdvice(err error, key, host string) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate of %s is good from %s to %s; have it renewed on the server, or set the clock of this machine",
			host, invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly))
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate of %s can't be used; have it replaced on the server", host)
	case errors.As(err, &unknown):
		return fmt.Sprintf("the certificate of %s is signed by nobody that this machine trusts; add its authority to those of the system (SSL_CERT_FILE), or have the server use a public one", host)
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is not for %s; set %s.host to a name that it holds", host, key)
	}
	return ""
}
