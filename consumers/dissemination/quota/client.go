package quota

import (
	"net/http"
	"net/netip"
	"strings"

	"retorno/consumers/dissemination/response"
)

// from is whose budget a question is of: the partner's whose token it bears, or the address's. A token that is not known is refused, and is of
// the address's budget, so that guessing tokens is limited too.
func (l *Limiter) from(r *http.Request) (who string, partner bool, refusal *response.Problem) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") { // of another scheme: it is none of ours, and what is asked for is public
		return l.address(r), false, nil
	}
	if name, ok := l.Tokens.Partner(strings.TrimSpace(token), l.Now()); ok {
		return "partner " + name, true, nil
	}
	return l.address(r), false, response.Token.Of("La clave no es de ningún socio, o fue revocada. Pregunte sin ella o pida otra a la oficina.",
		"The token is of no partner, or was revoked. Ask without it, or ask the office for another one.")
}

// address is where a question comes from: the last address that the header of the proxy names, or that of the connection. Of IPv6 it is the
// network of 64 bits that one client has.
func (l *Limiter) address(r *http.Request) string {
	text := r.RemoteAddr
	if l.Header != "" {
		if told := r.Header.Values(l.Header); len(told) > 0 {
			list := told[len(told)-1]
			text = strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
		}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		port, err := netip.ParseAddrPort(text)
		if err != nil {
			return "" // what cannot be read shares one budget
		}
		addr = port.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() && !addr.IsLoopback() {
		if network, err := addr.Prefix(64); err == nil {
			addr = network.Addr()
		}
	}
	return addr.String()
}
