// Bookinfo as four plain net/http programs in one: what the Python services are measured against.
//
// It does what the services must do and nothing more: no metrics, no log lines, no limits, no drain. The JSON has
// the same members as the Python services'; the page shows the same data with less decoration around it.
//
//	bookinfo SERVICE HOST:PORT    productpage, details, reviews or ratings
//
// Environment: ENABLE_RATINGS and STAR_COLOR for reviews; DETAILS_URL, REVIEWS_URL and RATINGS_URL for who calls whom.
package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type book struct {
	ID        int    `json:"id"`
	Author    string `json:"author"`
	Year      int    `json:"year"`
	Type      string `json:"type"`
	Pages     int    `json:"pages"`
	Publisher string `json:"publisher"`
	Language  string `json:"language"`
	ISBN10    string `json:"ISBN-10"`
	ISBN13    string `json:"ISBN-13"`
}

type productRatings struct {
	ID      int            `json:"id"`
	Ratings map[string]int `json:"ratings"`
}

type rating struct {
	Stars int    `json:"stars"`
	Color string `json:"color"`
}

type review struct {
	Reviewer string  `json:"reviewer"`
	Text     string  `json:"text"`
	Rating   *rating `json:"rating,omitempty"`
}

type productReviews struct {
	ID          string   `json:"id"`
	Podname     string   `json:"podname"`
	Clustername string   `json:"clustername"`
	Reviews     []review `json:"reviews"`
}

// What Istio asks every application to pass on; the calls below copy these.
var propagated = []string{
	"X-Request-Id", "Traceparent", "Tracestate", "Baggage", "B3", "X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid",
	"X-B3-Sampled", "X-B3-Flags", "End-User", "User-Agent", "Cookie", "Authorization",
}

// The default transport keeps two idle connections a host, which would measure connecting.
var client = &http.Client{
	Timeout:   3 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 200},
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bookinfo productpage|details|reviews|ratings HOST:PORT")
	}
	mux := http.NewServeMux()
	switch os.Args[1] {
	case "productpage":
		mux.HandleFunc("/productpage", servePage)
	case "details":
		mux.HandleFunc("/details/", serveDetails)
	case "reviews":
		mux.HandleFunc("/reviews/", serveReviews)
	case "ratings":
		mux.HandleFunc("/ratings/", serveRatings)
	default:
		log.Fatalf("no such service: %s", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Args[2], mux))
}

func serveDetails(w http.ResponseWriter, r *http.Request) {
	id, ok := productID(w, r)
	if !ok {
		return
	}
	writeJSON(w, book{
		ID: id, Author: "William Shakespeare", Year: 1595, Type: "paperback", Pages: 200, Publisher: "PublisherA",
		Language: "English", ISBN10: "1234567890", ISBN13: "123-1234567890",
	})
}

func serveRatings(w http.ResponseWriter, r *http.Request) {
	id, ok := productID(w, r)
	if !ok {
		return
	}
	writeJSON(w, productRatings{ID: id, Ratings: map[string]int{"Reviewer1": 5, "Reviewer2": 4}})
}

func serveReviews(w http.ResponseWriter, r *http.Request) {
	id, ok := productID(w, r)
	if !ok {
		return
	}
	answer := productReviews{ID: strconv.Itoa(id), Podname: "reviews-go", Clustername: "null", Reviews: []review{
		{Reviewer: "Reviewer1", Text: "Two pairs of twins, one harbour town and not a dull minute. I laughed out loud on the train!"},
		{Reviewer: "Reviewer2", Text: "Quick, silly and great fun, though the later comedies give their characters more to feel."},
	}}
	if os.Getenv("ENABLE_RATINGS") == "true" {
		var stars productRatings
		if err := fetch(r, fmt.Sprintf("%s/ratings/%d", os.Getenv("RATINGS_URL"), id), &stars); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for i := range answer.Reviews {
			answer.Reviews[i].Rating = &rating{stars.Ratings[answer.Reviews[i].Reviewer], os.Getenv("STAR_COLOR")}
		}
	}
	writeJSON(w, answer)
}

func servePage(w http.ResponseWriter, r *http.Request) {
	var (
		data struct {
			Details book
			Reviews productReviews
		}
		errs [2]error
		both sync.WaitGroup
	)
	both.Add(2)
	go func() {
		defer both.Done()
		errs[0] = fetch(r, os.Getenv("DETAILS_URL")+"/details/0", &data.Details)
	}()
	go func() {
		defer both.Done()
		errs[1] = fetch(r, os.Getenv("REVIEWS_URL")+"/reviews/0", &data.Reviews)
	}()
	both.Wait()
	for _, err := range errs {
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, data); err != nil {
		log.Print(err)
	}
}

func productID(w http.ResponseWriter, r *http.Request) (int, bool) {
	id, err := strconv.Atoi(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	if err != nil {
		http.Error(w, `{"error":"please provide numeric product id"}`, http.StatusBadRequest)
		return 0, false
	}
	return id, true
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Print(err)
	}
}

// fetch asks another service on behalf of a request and decodes its JSON answer.
func fetch(r *http.Request, url string, into any) error {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, name := range propagated {
		if value := r.Header.Get(name); value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered with status %d", url, response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"times": func(n int) []struct{} { return make([]struct{}, n) },
	"empty": func(n int) int { return 5 - n },
}).Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Simple Bookstore App</title></head>
<body>
<header><a href="productpage">Bookinfo</a>
<form method="post" action="login"><input name="username" required><input name="passwd" type="password"><button>Sign in</button></form>
</header>
<main>
<h1>The Comedy of Errors</h1>
<p>Two masters who look alike, two servants who look alike, and one day in Ephesus.</p>
<section><h2>Book Details</h2>
<dl>
<div><dt>Author</dt><dd>{{.Details.Author}}</dd></div>
<div><dt>Year</dt><dd>{{.Details.Year}}</dd></div>
<div><dt>Type</dt><dd>{{.Details.Type}}</dd></div>
<div><dt>Pages</dt><dd>{{.Details.Pages}}</dd></div>
<div><dt>Publisher</dt><dd>{{.Details.Publisher}}</dd></div>
<div><dt>Language</dt><dd>{{.Details.Language}}</dd></div>
<div><dt>ISBN-10</dt><dd>{{.Details.ISBN10}}</dd></div>
<div><dt>ISBN-13</dt><dd>{{.Details.ISBN13}}</dd></div>
</dl></section>
<section><h2>Book Reviews</h2>
{{range .Reviews.Reviews}}<figure>
{{with .Rating}}<p class="text-{{.Color}}-500">{{range times .Stars}}<span class="glyphicon glyphicon-star"></span>{{end}}{{range times (empty .Stars)}}<span class="glyphicon glyphicon-star-empty"></span>{{end}} {{.Stars}} of 5</p>{{end}}
<blockquote>{{.Text}}</blockquote><figcaption>{{.Reviewer}}</figcaption>
</figure>{{end}}
<p>Reviews served by: {{.Reviews.Podname}}</p></section>
</main>
</body>
</html>
`))
