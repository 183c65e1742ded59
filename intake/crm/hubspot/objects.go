package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

const (
	maxBatch = 100 // records in one call
	maxLinks = 1000
)

// object is a record. What is null there is "" here.
type object struct {
	ID           string            `json:"id"`
	Properties   map[string]string `json:"properties"`
	Associations map[string]struct {
		Results []linked `json:"results"`
	} `json:"associations"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// linked is a record that another is associated with.
type linked struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// linkedTo is the record of a kind that o is associated with: known if that is one of them, else the
// primary one before others, "" for none.
func (o *object) linkedTo(kind, known string) string {
	all := o.Associations[kind].Results
	if slices.ContainsFunc(all, func(l linked) bool { return l.ID == known }) {
		return known
	}
	i := slices.IndexFunc(all, func(l linked) bool { return !strings.Contains(l.Type, "unlabeled") })
	if i < 0 && len(all) > 0 {
		i = 0
	}
	if i < 0 {
		return ""
	}
	return all[i].ID
}

// The ids of associations that are HubSpot's own.
// https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
const (
	dealToCompany, dealToContact                  = 341, 3
	contactToCompany                              = 279
	noteToCompany, noteToContact, noteToDeal      = 190, 202, 214
	emailToCompany, emailToContact, emailToDeal   = 186, 198, 210
	hubspotDefined                                = "HUBSPOT_DEFINED"
	meetingStart, meetingOutcome, modifiedMeeting = "hs_meeting_start_time", "hs_meeting_outcome", "hs_lastmodifieddate"
)

// association is one that a new record begins with.
type association struct {
	To struct {
		ID string `json:"id"`
	} `json:"to"`
	Types []associationType `json:"types"`
}

type associationType struct {
	Category string `json:"associationCategory"`
	ID       int    `json:"associationTypeId"`
}

// associate adds an association to an id; none to "".
func associate(all []association, id string, kind int) []association {
	if id == "" {
		return all
	}
	a := association{Types: []associationType{{hubspotDefined, kind}}}
	a.To.ID = id
	return append(all, a)
}

// create makes a record together with its associations.
func (c *Connector) create(ctx context.Context, kind string, properties map[string]string, to []association) (o *object, err error) {
	if to == nil {
		to = []association{}
	}
	_, err = c.call(ctx, http.MethodPost, c.path("objects", "/"+kind), map[string]any{"properties": properties, "associations": to}, &o)
	return whole(o, err)
}

// whole is o, or an error if an answer of success holds none.
func whole(o *object, err error) (*object, error) {
	if err == nil && (o == nil || o.ID == "") {
		err = errAnswer
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// update writes properties of a record.
func (c *Connector) update(ctx context.Context, kind, id string, properties map[string]string) (o *object, err error) {
	_, err = c.call(ctx, http.MethodPatch, c.path("objects", "/"+kind+"/"+url.PathEscape(id)), map[string]any{"properties": properties}, &o)
	return whole(o, err)
}

// get reads a record by its id, or by a property that is unique, with what it is associated with; nil
// if there is none.
func (c *Connector) get(ctx context.Context, kind, id, idProperty string, properties []string, to ...string) (o *object, err error) {
	q := url.Values{"properties": {strings.Join(properties, ",")}, "archived": {"false"}}
	if idProperty != "" {
		q.Set("idProperty", idProperty)
	}
	if len(to) > 0 {
		q.Set("associations", strings.Join(to, ","))
	}
	_, err = c.call(ctx, http.MethodGet, c.path("objects", "/"+kind+"/"+url.PathEscape(id)+"?"+q.Encode()), nil, &o)
	if missing(err) {
		return nil, nil
	}
	return whole(o, err)
}

// id is one that is a number or a string in JSON.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	*i = id(bytes.Trim(b, `"`))
	return nil
}

// batch is the answer to a call about several records. What is not there is among its errors.
type batch[T any] struct {
	Status  string            `json:"status"`
	Results []T               `json:"results"`
	Errors  []json.RawMessage `json:"errors"`
}

// check returns an error for what failed, but for what is not there.
func (b batch[T]) check(a remote.Answer) error {
	if b.Status != "COMPLETE" {
		return errAnswer
	}
	for _, raw := range b.Errors {
		r := &refusal{status: a.Status}
		if json.Unmarshal(raw, &r.problem) != nil {
			return errAnswer
		}
		sub := fmt.Sprint(r.SubCategory)
		if r.Category == "OBJECT_NOT_FOUND" || strings.Contains(sub, "NO_ASSOCIATIONS_FOUND") {
			continue
		}
		if !category.MatchString(r.Category) {
			return errAnswer
		}
		r.words = r.problem.say()
		if r.Category == "VALIDATION_ERROR" {
			return intake.Permanent(r)
		}
		return r
	}
	return nil
}

// batchID names a record. After has what it is associated with read on.
type batchID struct {
	ID    string `json:"id"`
	After string `json:"after,omitempty"`
}

func batchIDs(ids []string) (in []batchID) {
	for _, s := range ids {
		in = append(in, batchID{ID: s})
	}
	return in
}

// readAll reads records by their ids, or by a property that is unique. Those that are not there are
// not among the results; with archived they are those that were deleted.
func (c *Connector) readAll(ctx context.Context, kind string, ids []string, idProperty string, properties []string, archived ...bool) (all []*object, err error) {
	slices.Sort(ids)
	path := c.path("objects", "/"+kind+"/batch/read?archived="+fmt.Sprint(len(archived) > 0 && archived[0]))
	for some := range slices.Chunk(slices.Compact(ids), maxBatch) {
		in := map[string]any{"inputs": batchIDs(some), "properties": properties, "propertiesWithHistory": []string{}}
		if idProperty != "" {
			in["idProperty"] = idProperty
		}
		var out batch[*object]
		a, err := c.call(ctx, http.MethodPost, path, in, &out)
		if err == nil {
			err = out.check(a)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, out.Results...)
	}
	return all, nil
}

// links reads what records of one kind are associated with, of another.
func (c *Connector) links(ctx context.Context, from string, ids []string, to string) (map[string][]string, error) {
	all, _, err := c.linksFrom(ctx, from, ids, to, true)
	return all, err
}

// linksFrom is links, and unless the whole is wanted as far as HubSpot gives them at once, which is some hundred of each
// record; more are the records that have others.
func (c *Connector) linksFrom(ctx context.Context, from string, ids []string, to string, whole bool) (all map[string][]string, more []string, err error) {
	all = make(map[string][]string)
	ids = slices.Clone(ids)
	slices.Sort(ids)
	open := batchIDs(slices.Compact(ids))
	for len(open) > 0 {
		some := open[:min(len(open), maxLinks)]
		open = open[len(some):]
		var out batch[struct {
			From struct{ ID id } `json:"from"`
			To   []struct {
				ID id `json:"toObjectId"`
			} `json:"to"`
			paging
		}]
		a, err := c.call(ctx, http.MethodPost, c.path("associations", "/"+from+"/"+to+"/batch/read"), map[string]any{"inputs": some}, &out)
		if err == nil {
			err = out.check(a)
		}
		if err != nil {
			return nil, nil, err
		}
		for _, r := range out.Results {
			of := string(r.From.ID)
			for _, t := range r.To {
				if !slices.Contains(all[of], string(t.ID)) {
					all[of] = append(all[of], string(t.ID))
				}
			}
			next := batchID{of, r.Paging.Next.After}
			switch {
			case next.After == "" || slices.Contains(some, next):
			case whole:
				open = append(open, next)
			default:
				more = append(more, of)
			}
		}
	}
	return all, more, nil
}

// paging says where a list goes on.
type paging struct {
	Paging struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

// link associates two records in HubSpot's own way, if they are not.
func (c *Connector) link(ctx context.Context, from, id, to, other string) error {
	path := c.path("link", fmt.Sprintf("/%s/%s/associations/default/%s/%s", from, url.PathEscape(id), to, url.PathEscape(other)))
	_, err := c.call(ctx, http.MethodPut, path, nil, nil)
	return err
}

// filter is one condition of a search.
type filter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value,omitempty"`
}

// found is a page of a search.
type found struct {
	Total   int       `json:"total"`
	Results []*object `json:"results"`
	paging
	// now is the time there, to the second.
	now time.Time
}

var errSearch = errors.New("HubSpot's answer to a search is incomplete")

// search finds records of which one of the groups of conditions holds. It may miss what was written
// a moment ago.
func (c *Connector) search(ctx context.Context, kind string, groups [][]filter, properties []string, sort, after string, limit int) (f found, err error) {
	var in []map[string]any
	for _, g := range groups {
		in = append(in, map[string]any{"filters": g})
	}
	var out struct {
		found
		Results *[]*object `json:"results"`
	}
	a, err := c.client.Do(ctx, remote.Call{
		Method: http.MethodPost, Path: c.path("objects", "/"+kind+"/search"), Bucket: searching, Out: &out,
		In: map[string]any{"filterGroups": in, "properties": properties, "sorts": []string{sort}, "limit": limit, "after": after},
	})
	if err == nil && out.Results == nil || a.Status == http.StatusMultiStatus {
		err = errSearch
	}
	if err != nil {
		return f, err
	}
	f = out.found
	f.Results = *out.Results
	if f.now, err = http.ParseTime(a.Header.Get("Date")); err != nil {
		f.now = c.config.Now().UTC().Truncate(time.Second)
	}
	return f, nil
}
