package intake_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
)

// BenchmarkImport measures how many rows a second become cases in a file, by the rows of the
// import and of a chunk, and beside it how many bare commits of bbolt a second the disk takes.
func BenchmarkImport(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		for _, size := range []int{100, 500} {
			b.Run(fmt.Sprintf("rows=%d/chunk=%d", n, size), func(b *testing.B) { benchImport(b, n, size) })
		}
	}
}

func benchImport(b *testing.B, n, size int) {
	rows := firms(0, n)
	var ours time.Duration
	var longest time.Duration
	for b.Loop() {
		store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(b.TempDir(), "db")})
		if err != nil {
			b.Fatal(err)
		}
		g := bareGateway(b, store)
		im, err := g.OpenImport(b.Context(), file("alpha", "a.csv"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.StartImport(b.Context(), im.ID); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for chunk := range slices.Chunk(rows, size) {
			at := time.Now()
			if _, _, err := g.AcceptRows(b.Context(), im.ID, chunk); err != nil {
				b.Fatal(err)
			}
			longest = max(longest, time.Since(at))
		}
		ours += time.Since(began)
		store.Close()
	}
	b.ReportMetric(float64(n*b.N)/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(longest.Milliseconds()), "ms/longest-chunk")
	b.ReportMetric(bareCommits(b), "bare-commits/s")
	b.ReportMetric(0, "ns/op")
}

// bareCommits is how often a second bbolt makes one small value durable.
func bareCommits(b *testing.B) float64 {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "bare"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const commits = 100
	began := time.Now()
	for i := range commits {
		err := db.Update(func(tx *bolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			return bucket.Put(fmt.Append(nil, i), []byte("value"))
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return commits / time.Since(began).Seconds()
}

// bareGateway takes submissions in and judges none.
func bareGateway(b *testing.B, store intake.Store) *intake.Gateway {
	ids := identity.Default()
	spec := rules.Default()
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	policy, err := rules.New(spec, ids)
	if err != nil {
		b.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		b.Fatal(err)
	}
	g, err := intake.New(intake.Options{Store: store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor"})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.PutPartners(b.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}},
	}); err != nil {
		b.Fatal(err)
	}
	return g
}
