package csvdrop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/channels/pages"
	"leadgate/intake"
	"leadgate/intake/identity"
)

// The names of the inputs.
const (
	inputFile  = "list"
	inputEmail = "submitter_email"
	inputName  = "submitter_name"
)

const (
	// maxBody is up to where a body is read, so that who sends a file that is too large is told
	// so: a browser whose words nobody listens to shows none.
	maxBody  = 4 * sheet.MaxBytes
	maxTyped = 200 // characters
	// silence is how long nothing may come of a body, longest how long all of it may take.
	silence, longest = 30 * time.Second, 15 * time.Minute
	// answering is how long what follows may take.
	answering = 2 * time.Minute
)

// The codes of what is wrong with an input, beside those of a file.
const (
	wrongMissing  = intake.ProblemMissing
	wrongLong     = intake.ProblemTooLong
	wrongEmail    = "invalid_email"
	wrongPartners = "not_the_partners"
	wrongFile     = "file"

	problemBusy   = "too_many"
	problemClosed = "closed"
)

// handedIn is what a form held.
type handedIn struct {
	email, name string
	file        *os.File // nil if none was chosen
	size        int64    // of the file; more than sheet.MaxBytes stands for all that is too large
	called      string
	media       string
}

func (in *handedIn) close() error {
	if in.file == nil {
		return nil
	}
	return in.file.Close()
}

// upload takes a list in, and leads to its page.
func (p *Pages) upload(c echo.Context) (err error) {
	if wait := p.limiter.Take(c.RealIP()); wait > 0 {
		return p.Site.Later(c, http.StatusTooManyRequests, pages.NoticeLimited, wait)
	}
	if p.origins.Check(c.Request()) != nil {
		return p.Site.Tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	v := visitOf(c)
	partner, ok, err := p.partner(c, v)
	if !ok {
		return err
	}
	select {
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	default:
		return p.Site.Later(c, http.StatusServiceUnavailable, pages.NoticeBusy, time.Second)
	}
	in, err := p.receive(c)
	defer func() { err = errors.Join(err, in.close()) }()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		in.size = maxBody
	case errors.Is(err, errTemp):
		return err
	case err != nil:
		return p.Site.Tell(c, http.StatusBadRequest, pages.NoticeForeign)
	}
	ctx := c.Request().Context()
	wrong, err := p.check(ctx, partner, in)
	if err != nil {
		return err
	}
	u := uploadPage{Email: in.email, Name: in.name, Wrong: wrong}
	if in.size > sheet.MaxBytes { // whatever else is wrong
		return p.refuseFile(c, v, partner, u, in)
	}
	if len(wrong) > 0 {
		return p.renderUpload(c, http.StatusUnprocessableEntity, v, partner, u)
	}
	err = p.Gateway.Admit(ctx, intake.Admission{Limits: []intake.Limit{{Name: "lists:partner:" + partner.ID, Max: p.c.PartnerHour, Per: time.Hour}}})
	if err != nil {
		return p.turnAway(c, v, partner, u, err)
	}
	im, err := p.offer(ctx, partner, in)
	if err != nil {
		return p.turnAway(c, v, partner, u, err)
	}
	p.Log.Info("a list was handed in", "import", im.ID, "partner", im.Partner, "rows", im.Total, "state", im.State)
	if im.State == intake.ImportPreviewed {
		_, _ = p.Drop.Checked(im) // begins it; what comes of it is for the page
	}
	link, err := url.Parse(im.Link)
	if err != nil {
		return err
	}
	to := link.EscapedPath() + visit{lang: v.lang}.query()
	if im.State != intake.ImportPreviewed {
		to += "&" + paramKnown + "=1"
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// offer hands a list to the drop.
func (p *Pages) offer(ctx context.Context, partner intake.Partner, in *handedIn) (intake.Import, error) {
	address, err := identity.Email(in.email)
	if err != nil {
		return intake.Import{}, err
	}
	f := intake.ImportFile{
		Partner: partner.ID, Name: in.called, ReceivedAt: p.now(), Raw: intake.Raw{Media: in.media},
		Sender: intake.Sender{Address: address.String(), Name: in.name, Strength: intake.StrengthVerified, How: "the partner's signed link to the page for lists"},
	}
	if p.Answers != "" {
		f.Reply = intake.Route{Channel: p.Answers, Address: address.String()}
	}
	return p.Drop.Offer(ctx, io.NewSectionReader(in.file, 0, in.size), f)
}

// refuseFile shows the form again for a file that is too large.
func (p *Pages) refuseFile(c echo.Context, v visit, partner intake.Partner, u uploadPage, in *handedIn) error {
	_, err := sheet.Open(strings.NewReader(""), in.size, in.called, sheet.Options{})
	return p.turnAway(c, v, partner, u, fileError(err))
}

// turnAway shows the form again for what was not taken, if that is none of our faults.
func (p *Pages) turnAway(c echo.Context, v visit, partner intake.Partner, u uploadPage, err error) error {
	var file *intake.FileError
	var over *intake.LimitError
	switch {
	case errors.As(err, &file):
		status := http.StatusUnprocessableEntity
		if file.Problem.Code == sheet.CodeTooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		u.Wrong = []wrongInput{{Input: inputFile, Code: wrongFile, Fault: p.fileFault(v.lang, file)}}
		return p.renderUpload(c, status, v, partner, u)
	case errors.As(err, &over):
		c.Response().Header().Set("Retry-After", fmt.Sprint(int(over.After/time.Second)+1))
		u.Problem = problemBusy
		return p.renderUpload(c, http.StatusTooManyRequests, v, partner, u)
	case errors.Is(err, intake.ErrFull):
		c.Response().Header().Set("Retry-After", "60")
		u.Problem = problemClosed
		return p.renderUpload(c, http.StatusServiceUnavailable, v, partner, u)
	}
	return err
}

// check returns what is wrong with what was typed, in the order of the page.
func (p *Pages) check(ctx context.Context, partner intake.Partner, in *handedIn) (wrong []wrongInput, err error) {
	if in.file == nil && in.size == 0 {
		wrong = append(wrong, wrongInput{Input: inputFile, Code: wrongMissing})
	}
	address, unreadable := identity.Email(in.email)
	switch {
	case in.email == "":
		wrong = append(wrong, wrongInput{Input: inputEmail, Code: wrongMissing})
	case unreadable != nil || utf8.RuneCountInString(in.email) > maxTyped:
		wrong = append(wrong, wrongInput{Input: inputEmail, Code: wrongEmail})
	default:
		// The link proves who registers, so that what follows goes to the partner alone.
		ours, err := p.Gateway.SpeaksFor(ctx, partner.ID, address.Key())
		if err != nil {
			return nil, err
		}
		if !ours {
			wrong = append(wrong, wrongInput{Input: inputEmail, Code: wrongPartners})
		}
	}
	if utf8.RuneCountInString(in.name) > maxTyped {
		wrong = append(wrong, wrongInput{Input: inputName, Code: wrongLong})
	}
	return wrong, nil
}

// errTemp: a file can't be kept while it comes in.
var errTemp = errors.New("the directory for temporary files takes none")

// receive reads the form, and its file into a temporary one. It always returns what is to be
// closed.
func (p *Pages) receive(c echo.Context) (*handedIn, error) {
	in := new(handedIn)
	req := c.Request()
	answer := http.NewResponseController(c.Response())
	now := time.Now() // of the network
	// Neither works with what is no connection, as in tests.
	defer func() { _ = answer.SetWriteDeadline(time.Now().Add(answering)) }()
	_ = answer.SetWriteDeadline(now.Add(longest + answering))
	if req.ContentLength > maxBody {
		return in, &http.MaxBytesError{Limit: maxBody}
	}
	req.Body = patient{http.MaxBytesReader(c.Response(), req.Body, maxBody), answer, now.Add(longest)}
	parts, err := req.MultipartReader()
	if err != nil {
		return in, err
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return in, nil
		}
		if err != nil {
			return in, err
		}
		switch name := part.FormName(); {
		case name == inputEmail:
			in.email, err = typed(part)
		case name == inputName:
			in.name, err = typed(part)
		case name == inputFile && in.file == nil && part.FileName() != "":
			in.called, in.media = part.FileName(), mediaOf(part.Header.Get("Content-Type"))
			err = in.keep(part, p.Drop.TempDir)
		}
		if err != nil {
			return in, err
		}
	}
}

// keep writes the file to one that nobody else sees. What is too large is left out.
func (in *handedIn) keep(r io.Reader, dir string) error {
	f, err := os.CreateTemp(dir, TempPattern)
	if err != nil {
		return errors.Join(errTemp, err)
	}
	in.file = f
	if err := os.Remove(f.Name()); err != nil { // the open file stays
		return errors.Join(errTemp, err)
	}
	in.size, err = io.Copy(onDisk{f}, io.LimitReader(r, sheet.MaxBytes+1))
	return err
}

// onDisk tells an error of the disk from one of the network.
type onDisk struct{ f *os.File }

func (d onDisk) Write(b []byte) (int, error) {
	n, err := d.f.Write(b)
	if err != nil {
		err = errors.Join(errTemp, err)
	}
	return n, err
}

// typed reads what stands in an input.
func typed(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, 4*maxTyped+4))
	return strings.TrimSpace(pages.Text(string(b))), err
}

// mediaOf is a media type as it was said, if it is one.
func mediaOf(said string) string {
	if _, _, err := mime.ParseMediaType(said); err != nil || len(said) > maxTyped {
		return ""
	}
	return said
}

// patient gives a body time as long as something comes: lists are sent from the field. The server
// gives less to all others.
type patient struct {
	io.ReadCloser
	answer *http.ResponseController
	until  time.Time
}

func (p patient) Read(b []byte) (int, error) {
	deadline := time.Now().Add(silence)
	if deadline.After(p.until) {
		deadline = p.until
	}
	_ = p.answer.SetReadDeadline(deadline)
	return p.ReadCloser.Read(b)
}
