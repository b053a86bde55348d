package ops

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificates are files of certificates (PEM) by what they are for, such as kafka_ca. One without a name is not shown.
type Certificates map[string]string

var notAfterDesc = prometheus.NewDesc("retorno_certificate_not_after_timestamp_seconds",
	"When the certificates of a file end, by what they are for: the last one of authorities, the first in the file of those that this process shows; seconds since 1970. 0: the file cannot be read, or holds none.", []string{"use"}, nil)

// Describe is of prometheus.Collector.
func (Certificates) Describe(out chan<- *prometheus.Desc) { out <- notAfterDesc }

// Collect reads the files as they are now, because they are replaced while a process runs.
func (c Certificates) Collect(out chan<- prometheus.Metric) {
	for use, file := range c {
		if file == "" {
			continue
		}
		var end float64
		if at := notAfter(file); !at.IsZero() {
			end = float64(at.Unix())
		}
		out <- prometheus.MustNewConstMetric(notAfterDesc, prometheus.GaugeValue, end, use)
	}
}

// notAfter is when the last authority of a file ends, or, where the first certificate is none, that one. While authorities
// are replaced, the file holds the old and the new one.
func notAfter(file string) (end time.Time) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return end
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue // a key may be in the same file
		}
		if !certificate.IsCA {
			return certificate.NotAfter
		}
		if certificate.NotAfter.After(end) {
			end = certificate.NotAfter
		}
	}
}
