// zishang520/socket.io on net/http: the application of app.py and app.mjs, in Go.
// Takes the port, and for TLS a file with key and certificate.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	options := socket.DefaultServerOptions()
	options.SetAllowEIO3(true)
	options.SetServeClient(false)
	io := socket.NewServer(nil, options)
	io.On("connection", func(clients ...any) {
		client := clients[0].(*socket.Socket)
		client.Join("all")
		client.On("echo", func(args ...any) { client.Emit("echo", args[0]) })
		client.On("ack", func(args ...any) { args[1].(socket.Ack)([]any{args[0]}, nil) })
		client.On("fan", func(args ...any) { io.To("all").Emit("fan", args[0]) })
	})
	http.Handle("/socket.io/", io.ServeHandler(nil))
	address := "127.0.0.1:" + os.Args[1]
	if len(os.Args) > 2 {
		log.Fatal(http.ListenAndServeTLS(address, os.Args[2], os.Args[2], nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}
