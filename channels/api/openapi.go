package api

import (
	"bytes"
	_ "embed"
	"net/http"
)

//go:embed openapi.yaml
var document []byte

// placeholder is the server of the file, which is not known before it is served.
const placeholder = "  - url: /api/v1\n"

// served is the document for the world, that finds the API at a URL.
func served(url string) []byte {
	return bytes.Replace(document, []byte(placeholder), []byte("  - url: "+url+"\n"), 1)
}

func (a *API) openapi(r *request) (answer, error) {
	r.Response().Header().Set("Cache-Control", "public, max-age=300")
	return answer{Status: http.StatusOK, Body: a.document, media: "application/yaml"}, nil
}
