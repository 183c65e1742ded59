package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gocarina/gocsv"
	"github.com/xuri/excelize/v2"
)

// benchList is a list of n rows as partners send them, 10 columns each.
func benchList(n int) []byte {
	var b bytes.Buffer
	b.WriteString("Company;Website;Country;Contact;E-mail;Phone;Problem;Stage;Deal value;Consent\n")
	for i := range n {
		fmt.Fprintf(&b, "Firma %d GmbH;www.firma%d.example;Germany;Jane Doe;jane.doe@firma%d.example;+49 30 %07d;They lose a day a week.;evaluation;%d EUR;yes\n", i, i, i, i, i+1000)
	}
	return b.Bytes()
}

// BenchmarkRows reads a list as a whole, cut into cells alone, and by the standard library: the
// yardstick in the same run.
// line is a row as gocsv reads it into a struct.
type line struct {
	Company  string `csv:"Company"`
	Website  string `csv:"Website"`
	Country  string `csv:"Country"`
	Contact  string `csv:"Contact"`
	Role     string `csv:"Role"`
	Email    string `csv:"E-mail"`
	Phone    string `csv:"Phone"`
	Problem  string `csv:"Problem"`
	Services string `csv:"Services needed"`
	Stage    string `csv:"Stage"`
	Product  string `csv:"Product interest"`
	Rivals   string `csv:"Competing vendors"`
	Revenue  string `csv:"Revenue"`
	Consent  string `csv:"Consent"`
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		content := benchList(n)
		perRow := func(b *testing.B) {
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
		}
		b.Run(fmt.Sprintf("%d/encoding_csv", n), func(b *testing.B) {
			for b.Loop() {
				r := csv.NewReader(bytes.NewReader(content))
				r.Comma, r.ReuseRecord = ';', true
				rows := 0
				for {
					if _, err := r.Read(); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					rows++
				}
				if rows != n+1 {
					b.Fatal(rows)
				}
			}
			perRow(b)
		})
		b.Run(fmt.Sprintf("%d/gocsv", n), func(b *testing.B) {
			for b.Loop() {
				r := csv.NewReader(bytes.NewReader(content))
				r.Comma, r.ReuseRecord = ';', true
				rows := 0
				if err := gocsv.UnmarshalDecoderToCallback(gocsv.NewSimpleDecoderFromCSVReader(r), func(line) { rows++ }); err != nil || rows != n {
					b.Fatal(rows, err)
				}
			}
			perRow(b)
		})
		b.Run(fmt.Sprintf("%d/cells", n), func(b *testing.B) {
			for b.Loop() {
				d := newDelimited(bytes.NewReader(content), ';')
				rows := 0
				for {
					if _, err := d.next(); err == io.EOF {
						break
					} else if err != nil {
						b.Fatal(err)
					}
					rows++
				}
				if rows != n+1 {
					b.Fatal(rows)
				}
			}
			perRow(b)
		})
		b.Run(fmt.Sprintf("%d/leads", n), func(b *testing.B) {
			for b.Loop() {
				f := read(b, "list.csv", content)
				if f.err != nil || f.Counts().Read != n {
					b.Fatal(f.err, f.Counts())
				}
			}
			perRow(b)
		})
	}
}

// BenchmarkWorkbook reads the same list as a workbook.
func BenchmarkWorkbook(b *testing.B) {
	const n = 10_000
	content := book(b, func(f *excelize.File) {
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		i := 0
		for line := range strings.Lines(string(benchList(n))) {
			i++
			var cells []any
			for cell := range strings.SplitSeq(strings.TrimSpace(line), ";") {
				cells = append(cells, cell)
			}
			if err := w.SetRow(fmt.Sprintf("A%d", i), cells); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		if f := read(b, "list.xlsx", content); f.err != nil || f.Counts().Read != n {
			b.Fatal(f.err, f.Counts())
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
