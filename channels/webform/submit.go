package webform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
	"leadgate/intake/identity"
)

// input is what was typed, by name of the question.
type input struct{ values map[string]string }

// formPage is what the page of the form shows.
type formPage struct {
	Action  string
	Opened  string
	Partner intake.Partner
	Parent  string // origin of the page around, for the script that tells it the height
	Groups  []group
	Consent bool // ticked
	// Wrong lists what is wrong in the order of the questions; Problem is what is wrong with
	// the whole.
	Wrong   []field
	Problem string
	Captcha captcha.Widget
	Texts   Texts
	Contact string
	Lists   string // where lists are handed in, for who proves whom he registers for; ""
	Base    string
}

// The problems that are with no field.
const (
	problemCaptcha = "captcha"
	problemClosed  = "closed"
	problemOld     = "opened_too_long"
	problemBusy    = "too_many"
)

func (f *Form) show(c echo.Context) error {
	fr, err := f.frameOf(c)
	if err != nil {
		return f.goneLink(c, err)
	}
	// Whoever goes back to it finds what he typed. It holds nothing that is anybody's yet.
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	return f.renderForm(c, http.StatusOK, fr, input{}, nil, "")
}

// goneLink answers to a link that is not good, and says what works without one.
func (f *Form) goneLink(c echo.Context, err error) error {
	status := http.StatusNotFound
	switch {
	case errors.Is(err, intake.ErrLinkExpired):
		status = http.StatusGone
	case errors.Is(err, intake.ErrLinkInvalid), errors.Is(err, intake.ErrLinkRevoked):
	default:
		return err
	}
	fr := frame{lang: pages.Language(c.Request()), embedded: c.QueryParam("embed") != ""}
	return f.render(c, status, "gone", fr, true, formPage{Action: f.Site.Base() + intake.PathForm + fr.query()})
}

func (f *Form) renderForm(c echo.Context, status int, fr frame, in input, wrong map[string]string, problem string) error {
	w := f.Gate.Widget()
	allow := pages.Policy{}
	for directive, sources := range w.Policy {
		allow[directive] = sources
	}
	more := []pages.Policy{allow, {"script-src": {"'self'"}, "connect-src": {"'self'"}}}
	if len(fr.origins) > 0 {
		more = append(more, pages.Policy{"frame-ancestors": fr.origins})
	}
	pages.Allow(c, more...)
	p := formPage{
		Action: f.Site.Base() + intake.PathForm + fr.query(), Opened: f.sign(f.open()), Partner: fr.partner, Parent: fr.parent,
		Groups: f.groups(fr.lang, in, wrong), Consent: in.values[string(intake.FieldConsent)] == intake.ConsentYes,
		Problem: problem, Captcha: worded(w, fr.lang), Texts: f.c.Texts[fr.lang], Contact: f.Contact, Base: f.Site.Base(),
	}
	if fr.proves && f.Lists {
		p.Lists = p.Base + intake.PathImport + fr.query()
	}
	for _, g := range p.Groups {
		for _, q := range g.Fields {
			if q.Wrong != "" {
				p.Wrong = append(p.Wrong, q)
			}
		}
	}
	if code := wrong[string(intake.FieldConsent)]; code != "" {
		p.Wrong = append(p.Wrong, field{Name: string(intake.FieldConsent), Kind: "tick", Wrong: code})
	}
	return f.render(c, status, "form", fr, status != http.StatusOK, p)
}

// refuse shows the form again, with what was typed.
func (f *Form) refuse(c echo.Context, status int, fr frame, in input, problem string) error {
	f.Refused(problem)
	return f.renderForm(c, status, fr, in, nil, problem)
}

// submit takes a form in.
func (f *Form) submit(c echo.Context) error {
	if wait := f.limiter.Take(c.RealIP()); wait > 0 {
		f.Refused("visitor_limit")
		return f.Site.Later(c, http.StatusTooManyRequests, pages.NoticeLimited, wait)
	}
	if len(f.busy) == cap(f.busy) { // as cheaply as can be
		return f.shed(c)
	}
	req := c.Request()
	if f.origins.Check(req) != nil {
		f.Refused("foreign")
		return f.Site.Tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxBody)
	if err := parse(req); err != nil {
		f.Refused("unreadable")
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return f.Site.Tell(c, http.StatusRequestEntityTooLarge, pages.NoticeLarge)
		}
		return f.Site.Tell(c, http.StatusBadRequest, pages.NoticeForeign)
	}
	// Now that all of it is here: a slow sender holds nobody up.
	select {
	case f.busy <- struct{}{}:
		defer func() { <-f.busy }()
	default:
		return f.shed(c)
	}
	fr, err := f.frameOf(c)
	if err != nil {
		return f.goneLink(c, err)
	}
	return f.take(c, fr, f.read(req))
}

// shed asks to come back: so many are worked on that more would wait for long.
func (f *Form) shed(c echo.Context) error {
	f.Refused("busy")
	return f.Site.Later(c, http.StatusServiceUnavailable, pages.NoticeBusy, time.Second)
}

// parse reads a form that is sent in either of the two ways of browsers.
func parse(req *http.Request) error {
	if strings.HasPrefix(req.Header.Get("Content-Type"), "multipart/form-data") {
		return req.ParseMultipartForm(maxBody)
	}
	return req.ParseForm()
}

// read takes what was typed for the questions of the form, and nothing else.
func (f *Form) read(req *http.Request) input {
	in := input{values: make(map[string]string)}
	names := []string{inputName, inputEmail, inputOpened, inputTrap, string(intake.FieldConsent)}
	fields, _ := f.asked()
	for _, name := range fields {
		names = append(names, string(name))
	}
	if w := f.Gate.Widget(); w.Field != "" {
		names = append(names, w.Field)
	}
	for _, name := range names {
		v := strings.Join(req.PostForm[name], intake.ListSeparator) // several for a list of choices
		if name == string(intake.FieldConsent) && v != "" {
			v = intake.ConsentYes
		}
		in.values[name] = strings.TrimSpace(strings.ToValidUTF8(v, "\uFFFD"))
	}
	return in
}

// take decides on what was sent.
func (f *Form) take(c echo.Context, fr frame, in input) error {
	if in.values[inputTrap] != "" {
		f.Refused("trap")
		return f.leave(c, fr, pathThanks)
	}
	o, err := f.readOpened(in.values[inputOpened])
	age := f.now().Sub(o.at)
	if err != nil {
		o = f.open() // what is sent twice is known by its words then
	}
	if err == nil && age > maxTime {
		return f.refuse(c, http.StatusUnprocessableEntity, fr, in, problemOld)
	}
	hasty := err != nil || age < f.minimum // a robot, or a form of another site, which has no time
	ctx := c.Request().Context()
	key := in.key(o, fr)
	if r, err := f.gateway.Accepted(ctx, key); err == nil {
		return f.done(c, fr, r, fr.proves && !hasty)
	} else if !errors.Is(err, intake.ErrNotFound) {
		return err
	}
	lead, wrong := f.check(ctx, fr, in)
	if len(wrong) > 0 {
		f.Refused("fields")
		return f.renderForm(c, http.StatusUnprocessableEntity, fr, in, wrong, "")
	}
	d := f.Gate.Decide(ctx, captcha.Check{Token: in.values[f.Gate.Widget().Field], IP: c.RealIP(), UserAgent: c.Request().UserAgent()})
	switch d.Action {
	case captcha.ActionPass, captcha.ActionConfirm:
	case captcha.ActionClosed:
		c.Response().Header().Set("Retry-After", "60")
		return f.refuse(c, http.StatusServiceUnavailable, fr, in, problemClosed)
	default:
		return f.refuse(c, http.StatusUnprocessableEntity, fr, in, problemCaptcha)
	}
	proven := fr.proves && d.Action == captcha.ActionPass && !hasty
	doubtful := d.Action != captcha.ActionPass || hasty
	s, err := f.submission(fr, in, lead, key, proven)
	if err != nil {
		return err
	}
	s.Admission = f.admission(s, d, doubtful)
	r, err := f.gateway.Accept(ctx, s)
	if err != nil {
		return f.turnAway(c, fr, in, err)
	}
	return f.done(c, fr, r, proven)
}

// turnAway shows the form again for what was not accepted, if that is none of our faults.
func (f *Form) turnAway(c echo.Context, fr frame, in input, err error) error {
	var over *intake.LimitError
	switch {
	case errors.Is(err, intake.ErrSpent):
		return f.refuse(c, http.StatusUnprocessableEntity, fr, in, problemCaptcha)
	case errors.As(err, &over):
		c.Response().Header().Set("Retry-After", fmt.Sprint(int(over.After/time.Second)+1))
		return f.refuse(c, http.StatusTooManyRequests, fr, in, problemBusy)
	case errors.Is(err, intake.ErrFull):
		c.Response().Header().Set("Retry-After", "60")
		return f.refuse(c, http.StatusServiceUnavailable, fr, in, problemClosed)
	}
	return err
}

// key names a submission: one form, sent with the same words. Who goes back and changes a word
// sends another one.
func (in input) key(o opened, fr frame) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(in.values)) {
		if name == inputOpened || name == inputTrap || !known(name) {
			continue // a second captcha makes no second registration
		}
		fmt.Fprintf(h, "%d %s%d %s", len(name), name, len(in.values[name]), in.values[name])
	}
	h.Write([]byte(fr.partner.ID))
	return "form:" + hex.EncodeToString(o.nonce[:]) + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

// known reports whether an input is a question of the form.
func known(name string) bool {
	return name == inputName || name == inputEmail || slices.Contains(intake.Fields(), intake.Field(name))
}

// The codes of what is wrong with a field, beside those of intake.
const (
	wrongMissing  = intake.ProblemMissing
	wrongEmail    = "invalid_email"
	wrongConsent  = intake.ProblemConsent
	wrongPartners = "not_the_partners"
)

// written are the fields that people write in ways of their own. What they write for the others
// is the value.
var written = []intake.Field{
	intake.FieldTargetRevenue, intake.FieldServicesNeeded, intake.FieldProductInterest, intake.FieldCompetingVendors,
}

// check returns the lead that was typed, or what is wrong by name of the question.
func (f *Form) check(ctx context.Context, fr frame, in input) (intake.Lead, map[string]string) {
	wrong := make(map[string]string)
	lead := make(intake.Lead)
	fields, required := f.asked()
	for _, name := range fields {
		lead[name] = in.values[string(name)]
		if v := f.Read(name, lead[name]); v != "" && slices.Contains(written, name) {
			lead[name] = v
		}
	}
	lead[intake.FieldConsent] = in.values[string(intake.FieldConsent)]
	clean, problems := intake.Clean(f.Identity, lead)
	for _, p := range problems {
		wrong[string(p.Field)] = p.Code
	}
	for _, name := range fields {
		if utf8.RuneCountInString(in.values[string(name)]) > intake.MaxRunes(name) {
			wrong[string(name)] = intake.ProblemTooLong
		}
	}
	for _, name := range []string{inputName, inputEmail} {
		if utf8.RuneCountInString(in.values[name]) > maxShort {
			wrong[name] = intake.ProblemTooLong
		}
	}
	for _, name := range required {
		if clean[name] == "" && wrong[string(name)] == "" {
			wrong[string(name)] = wrongMissing
		}
	}
	if clean[intake.FieldConsent] != intake.ConsentYes {
		wrong[string(intake.FieldConsent)] = wrongConsent
	}
	address, err := identity.Email(in.values[inputEmail])
	switch {
	case in.values[inputEmail] == "":
		wrong[inputEmail] = wrongMissing
	case wrong[inputEmail] != "":
	case err != nil:
		wrong[inputEmail] = wrongEmail
	case fr.proves:
		// The link proves who registers, so that what follows goes to the partner alone.
		if ours, err := f.gateway.SpeaksFor(ctx, fr.partner.ID, address.Key()); err != nil || !ours {
			wrong[inputEmail] = wrongPartners
		}
	}
	return clean, wrong
}

// admission is what all processes count together. What is proven has a count of its own, which
// nobody else uses up; of what is in doubt a fifth is let in.
func (f *Form) admission(s intake.Submission, d captcha.Decision, doubtful bool) intake.Admission {
	a := intake.Admission{Once: d.Spend, By: s.Key, Until: d.Until}
	l := f.c.Limits
	if s.Partner != "" {
		a.Limits = []intake.Limit{{Name: "form:partner:" + s.Partner, Max: l.PartnerHour, Per: time.Hour}}
		return a
	}
	suffix := ""
	if doubtful {
		l.PartnerHour, l.Hour, suffix = max(1, l.PartnerHour/5), max(1, l.Hour/5), ":doubtful"
	}
	_, domain, _ := strings.Cut(s.Sender.Address, "@")
	a.Limits = []intake.Limit{
		{Name: "form" + suffix, Max: l.Hour, Per: time.Hour},
		{Name: "form:" + domainKey(domain) + suffix, Max: l.PartnerHour, Per: time.Hour},
	}
	return a
}

// domainKey bounds how many domains there can be counts of, whatever visitors type.
func domainKey(domain string) string {
	sum := sha256.Sum256([]byte(domain))
	return hex.EncodeToString(sum[:4])
}

// submission is what is accepted.
func (f *Form) submission(fr frame, in input, lead intake.Lead, key string, proven bool) (intake.Submission, error) {
	address, err := identity.Email(in.values[inputEmail])
	if err != nil {
		return intake.Submission{}, err
	}
	typed := make(map[string]string)
	for name, v := range in.values {
		if known(name) && v != "" {
			typed[name] = v
		}
	}
	payload, err := json.Marshal(typed)
	if err != nil {
		return intake.Submission{}, err
	}
	s := intake.Submission{
		Key: key, Content: contentOf(typed), Deliberate: true, Channel: Channel, ReceivedAt: f.now(), Lead: lead,
		Payload: payload, Raw: intake.Raw{Media: "application/json"},
		Sender:   intake.Sender{Address: address.String(), Name: in.values[inputName], Strength: intake.StrengthUnverified, How: "typed into the form"},
		Evidence: map[intake.Field]string{intake.FieldConsent: f.consent(fr.lang)},
		Typed:    true,
	}
	if f.Answers != "" {
		s.Reply = intake.Route{Channel: f.Answers, Address: address.String()}
	}
	if proven {
		s.Partner, s.Typed = fr.partner.ID, false
		s.Sender.Strength, s.Sender.How = intake.StrengthVerified, "the partner's signed link to the form"
	}
	return s, nil
}

// contentOf is a fingerprint of what was typed.
func contentOf(typed map[string]string) string {
	b, err := json.Marshal(typed)
	if err != nil {
		panic(err) // strings
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// consent are the words that the visitor agreed to.
func (f *Form) consent(lang string) string {
	if own := f.c.Texts[lang].Consent; own != "" {
		return own
	}
	return consents[lang]
}

// done leads to the page that tells that it came in. A page that is loaded again sends nothing
// again.
func (f *Form) done(c echo.Context, fr frame, r intake.Receipt, proven bool) error {
	if r.Case == "" {
		return f.leave(c, fr, pathThanks)
	}
	partner := ""
	if proven {
		partner = fr.partner.ID
	}
	link, err := f.gateway.DoneLink(c.Request().Context(), r, partner)
	if err != nil {
		return err
	}
	u, err := url.Parse(link)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, u.EscapedPath()+fr.query())
}

func (f *Form) leave(c echo.Context, fr frame, path string) error {
	return c.Redirect(http.StatusSeeOther, f.Site.Base()+path+fr.query())
}
