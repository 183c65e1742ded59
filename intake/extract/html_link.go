package extract

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// maxUnwrap is how many rewritten links within one another are unwrapped.
const maxUnwrap = 3

// unwrapURL returns the address that a link leads to after it was rewritten by a mail filter
// or a search engine; other text is returned as it is.
func unwrapURL(s string) string {
	for range maxUnwrap {
		target := unwrapOnce(s)
		if target == "" || target == s {
			break
		}
		s = target
	}
	return s
}

// unwrapOnce returns the target of a rewritten link, "" if s is none.
func unwrapOnce(s string) string {
	if len(s) > 4*maxLink || !strings.Contains(s, "/") {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(s, "&amp;", "&"))
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	target := ""
	switch {
	case within(host, "safelinks.protection.outlook.com", "safelinks.protection.office365.us"):
		target = u.Query().Get("url")
	case within(host, "urldefense.proofpoint.com") && strings.HasPrefix(u.Path, "/v2/"):
		target, err = url.PathUnescape(strings.NewReplacer("-", "%", "_", "/").Replace(u.Query().Get("u")))
	case within(host, "urldefense.com", "urldefense.us", "urldefense.proofpoint.com"):
		target = urlDefense3(s)
	case within(host, "protect.checkpoint.com"):
		_, rest, _ := strings.Cut(s, "___")
		target, _, _ = strings.Cut(rest, "___")
	case strings.HasPrefix(strings.TrimPrefix(host, "www."), "google.") && u.Path == "/url":
		if target = u.Query().Get("q"); target == "" {
			target = u.Query().Get("url")
		}
	case within(host, "facebook.com", "instagram.com") && strings.HasPrefix(u.Path, "/l.php"), host == "l.instagram.com":
		target = u.Query().Get("u")
	case within(host, "linkprotect.cudasvc.com"):
		target = u.Query().Get("a")
	case within(host, "clicktime.symantec.com"):
		target = u.Query().Get("u")
	case within(host, "slack-redir.net", "linkedin.com") && (u.Path == "/link" || strings.HasPrefix(u.Path, "/redir/redirect") || u.Path == "/safety/go"):
		target = u.Query().Get("url")
	case within(host, "mimecastprotect.com", "mimecast.com") && u.Query().Get("domain") != "":
		target = "https://" + u.Query().Get("domain")
	case within(host, "secure-web.cisco.com"):
		target, err = url.PathUnescape(u.EscapedPath()[strings.LastIndexByte(u.EscapedPath(), '/')+1:])
	}
	if err != nil || !isWebURL(target) {
		return ""
	}
	return target
}

// within reports whether a host is one of domains, or in one.
func within(host string, domains ...string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// isWebURL reports whether s is a plain link to a host.
func isWebURL(s string) bool {
	low := strings.ToLower(clip(s, 10))
	if !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "https://") || len(s) > 4*maxLink {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"", r) })
}

// urlDefense3 reads "…/v3/__URL__;BASE64!!…": the characters of BASE64 stand for the stars in
// the URL, one each; of a run of them only its length is written.
func urlDefense3(s string) string {
	_, rest, ok := strings.Cut(s, "/v3/__")
	if !ok {
		return ""
	}
	i := strings.LastIndex(rest, "__;")
	if i < 0 {
		return ""
	}
	target, code := rest[:i], rest[i+len("__;"):]
	code, _, _ = strings.Cut(code, "!")
	chars, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(code, "="))
	if err != nil || strings.Contains(target, "**") {
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"), "/")
		return "https://" + host // runs of characters are in the path: the host says enough
	}
	var b strings.Builder
	for i := range len(target) {
		if target[i] == '*' && len(chars) > 0 {
			b.WriteByte(chars[0])
			chars = chars[1:]
			continue
		}
		b.WriteByte(target[i])
	}
	return b.String()
}
