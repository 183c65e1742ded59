package extract

import (
	"regexp"
	"strings"

	"leadgate/intake"
)

// Japanese is written without blanks, so that its prose is read by patterns of its own: forms
// of companies, the honorific behind a name, the role between.
var (
	kana = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}]`)
	// firms have their legal form in front or behind.
	firms = regexp.MustCompile(`(?:株式会社|有限会社|合同会社|一般社団法人|医療法人|社会福祉法人)[\p{Han}\p{Katakana}\p{Hiragana}ーA-Za-z0-9&・]{1,20}?(?:の|と|様|、|。|（|\(|は|が|\s|$)|[\p{Han}\p{Katakana}\p{Hiragana}ーA-Za-z0-9&・]{1,20}(?:株式会社|有限会社|合同会社)`)
	// holders are a role and a name: "製造部長、小林由美様".
	holders  = regexp.MustCompile(`(?:の|、|^|\s)([\p{Han}\p{Katakana}ー]{1,12}(?:長|役|主任|担当|マネージャー|責任者|店主|女将))(?:、|の|\s)?([\p{Han}]{1,4}[ 　]?[\p{Han}\p{Hiragana}\p{Katakana}]{1,5})(?:様|氏|さん)`)
	honoured = regexp.MustCompile(`([\p{Han}]{1,4}[ 　]?[\p{Han}]{1,4})(?:様|氏|さん)`)
	agreed   = regexp.MustCompile(`(?:了承|承諾|同意|許可|ご快諾|快諾)(?:を|は|済|し|いた|得|頂|もら|で)`)
	refused  = regexp.MustCompile(`(?:了承|承諾|同意|許可).{0,8}(?:ない|ません|まだ|未)|連絡しないで|お控え`)
	wants    = regexp.MustCompile(`探し|困っ|かかる|かかり|かかって|合わず|合いません|できない|できません|したい|たいと|必要|課題|悩|手作業|紙で|重なり|間に合わ|失くな|なくな|ミス|遅`)
)

// readJapanese reads sentences of a Japanese mail.
func (e *Extractor) readJapanese(m *mail, lines []line, out candidates) {
	var need []string
	var at *line
	for i := range lines {
		l := &lines[i]
		if l.blank() || l.used || l.label != nil || len(l.body) > 4000 || !kana.MatchString(l.body) {
			continue
		}
		note := func(f intake.Field, v string, score float64) {
			sp, words := m.doc.words(l.start, l.end)
			out.add(f, candidate{value: v, words: words, at: sp, score: score * factors[l.region], method: byProse})
		}
		for sentence := range strings.SplitAfterSeq(l.body, "。") {
			e.japaneseNames(m, sentence, note)
			switch {
			case refused.MatchString(sentence):
				note(intake.FieldConsent, intake.ConsentNo, scoreClear)
			case agreed.MatchString(sentence):
				note(intake.FieldConsent, intake.ConsentYes, scoreClear)
			case wants.MatchString(sentence) && !honoured.MatchString(sentence) && !strings.Contains(sentence, "@"):
				if need = append(need, strings.TrimSpace(sentence)); at == nil {
					at = l
				}
			}
		}
	}
	if at != nil && len(need) <= 3 {
		sp, words := m.doc.words(at.start, at.end)
		out.add(intake.FieldProblem, candidate{value: strings.Join(need, ""), words: words, at: sp, score: scoreLikely + .02, method: byProse})
	}
}

// japaneseNames reads the company, the contact and the role out of a sentence; what the
// sender says of himself ("…の鈴木です") is left out.
func (e *Extractor) japaneseNames(m *mail, s string, note func(intake.Field, string, float64)) {
	if strings.HasSuffix(strings.TrimRight(s, "。 "), "です") && !honoured.MatchString(s) {
		return
	}
	for _, firm := range firms.FindAllString(s, 4) {
		firm = strings.TrimRight(firm, "のと様、。（(はが \t")
		for _, before := range []string{"、", "は", "の"} {
			if i := strings.LastIndex(firm, before); i >= 0 && !strings.HasPrefix(firm, "株式会社") && !strings.HasPrefix(firm, "有限会社") {
				firm = firm[i+len(before):]
			}
		}
		if !m.sender.is(firm) {
			note(intake.FieldCompanyName, firm, scoreLikely)
			break
		}
	}
	if h := holders.FindStringSubmatch(s); h != nil {
		note(intake.FieldContactRole, h[1], scoreLikely)
		note(intake.FieldContactName, h[2], scoreLikely)
		return
	}
}
