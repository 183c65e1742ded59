package salesforce

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"leadgate/intake"
)

// The names of an outbound message:
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_understanding.htm
const (
	nsOutbound = "http://soap.sforce.com/2005/09/outbound"
	nsInstance = "http://www.w3.org/2001/XMLSchema-instance"

	maxMessage       = 1 << 20
	maxNotifications = 100
	maxDepth         = 32
)

// Hints takes an outbound message in. Its sender shows the token in the URL and the id of the org;
// as neither is a signature, all that is taken from it are ids of records, to be read again.
func (s *Salesforce) Hints(_ string, r *http.Request, body []byte) ([]string, error) {
	given := r.URL.Query()["token"]
	if s.c.Hook.Token == "" || len(given) != 1 || subtle.ConstantTimeCompare([]byte(given[0]), []byte(s.c.Hook.Token)) != 1 {
		return nil, s.fail("outbound message", fmt.Errorf("%w: it does not show the token of the URL", errHint))
	}
	m, err := readMessage(body)
	if err != nil {
		return nil, s.fail("outbound message", err)
	}
	if !sameID(m.organization, s.c.Hook.Organization) {
		return nil, s.fail("outbound message", fmt.Errorf("%w: it is of another org", errHint))
	}
	var hints []string
	for _, id := range m.records {
		for prefix, object := range map[string]string{"006": objOpportunity, "00U": "Event"} {
			if strings.HasPrefix(id, prefix) {
				hints = append(hints, object+":"+id)
			}
		}
		if m.types[id] == objRegistration {
			hints = append(hints, objRegistration+":"+id)
		}
	}
	slices.Sort(hints)
	return slices.Compact(hints), nil
}

// HintAnswer is what has to be answered, with 200, once the hints are kept; without it Salesforce
// sends the message again for a day.
func (s *Salesforce) HintAnswer() (mediaType string, body []byte) {
	return "text/xml; charset=utf-8", []byte(xml.Header +
		`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>` +
		`<notificationsResponse xmlns="` + nsOutbound + `"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>`)
}

var errHint = errors.New("the call is not proven")

// message is what is taken from an outbound message.
type message struct {
	organization string
	records      []string
	types        map[string]string
}

// readMessage reads a SOAP envelope. It takes no DTD, and so no entities of anybody's own, no
// instructions to a processor, and nothing deep.
func readMessage(body []byte) (message, error) {
	m := message{types: make(map[string]string)}
	if len(body) > maxMessage {
		return m, errors.New("it is too large")
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict = true
	var path []string
	typ, notifications := "", 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, errors.New("it is not well-formed XML")
		}
		switch t := t.(type) {
		case xml.Directive:
			return m, errors.New("it holds a DTD")
		case xml.ProcInst:
			if t.Target != "xml" || len(path) > 0 {
				return m, errors.New("it holds a processing instruction")
			}
		case xml.StartElement:
			path = append(path, t.Name.Local)
			if len(path) > maxDepth {
				return m, errors.New("it is too deep")
			}
			switch {
			case t.Name.Local == "Notification":
				if notifications++; notifications > maxNotifications {
					return m, errors.New("it holds too many notifications")
				}
			case t.Name.Local == "sObject":
				typ = typeOf(t)
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			v := strings.TrimSpace(string(t))
			switch at := strings.Join(path, "/"); {
			case !isID(v):
			case at == "Envelope/Body/notifications/OrganizationId":
				m.organization = v
			case at == "Envelope/Body/notifications/Notification/sObject/Id":
				m.records = append(m.records, v)
				m.types[v] = typ
			}
		}
	}
	if m.organization == "" {
		return m, errors.New("it is no outbound message")
	}
	return m, nil
}

// typeOf reads xsi:type="sf:Opportunity".
func typeOf(e xml.StartElement) string {
	for _, a := range e.Attr {
		if a.Name.Space == nsInstance && a.Name.Local == "type" {
			return a.Value[strings.IndexByte(a.Value, ':')+1:]
		}
	}
	return ""
}

// Reread reads the records that hints name.
func (s *Salesforce) Reread(ctx context.Context, hints []string) ([]intake.Change, error) {
	of := make(map[string]ids)
	for _, h := range hints {
		if object, id, ok := strings.Cut(h, ":"); ok && isID(id) {
			of[object] = append(of[object], id)
		}
	}
	now := s.c.Now().UTC()
	var regs, deals []record
	for part := range slices.Chunk(of[objOpportunity], 100) {
		var rows []record
		if _, err := s.read(ctx, map[string]*[]record{"opp": &rows}, s.queryAll("opp", bind("SELECT "+s.dealRow()+" FROM Opportunity WHERE Id IN ?", part))); err != nil {
			return nil, s.fail("read again", err)
		}
		deals = append(deals, rows...)
	}
	for part := range slices.Chunk(of[objRegistration], 100) {
		var rows []record
		if _, err := s.read(ctx, map[string]*[]record{"reg": &rows}, s.queryAll("reg", bind("SELECT "+s.registrationColumns()+
			" FROM Partner_Registration__c WHERE Id IN ?", part))); err != nil {
			return nil, s.fail("read again", err)
		}
		regs = append(regs, rows...)
	}
	all, err := s.tell(ctx, regs, deals)
	if err != nil {
		return nil, s.fail("read again", err)
	}
	for part := range slices.Chunk(of["Event"], 100) {
		var rows []record
		_, err := s.read(ctx, map[string]*[]record{"event": &rows}, s.queryAll("event", bind("SELECT Id, WhatId, IsDeleted, SystemModstamp, StartDateTime, EndDateTime FROM Event WHERE Id IN ?", part)))
		if err != nil {
			return nil, s.fail("read again", err)
		}
		met, err := s.met(ctx, rows, now)
		if err != nil {
			return nil, s.fail("read again", err)
		}
		all = append(all, met...)
	}
	slices.SortStableFunc(all, func(a, b intake.Change) int { return a.At.Compare(b.At) })
	return all, nil
}
