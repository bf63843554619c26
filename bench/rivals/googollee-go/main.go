// googollee/go-socket.io on net/http: the application of app.py and app.mjs, in Go.
// Takes the port, and for TLS a file with key and certificate.
package main

import (
	"log"
	"net/http"
	"os"

	socketio "github.com/googollee/go-socket.io"
)

func main() {
	server := socketio.NewServer(nil)
	server.OnConnect("/", func(client socketio.Conn) error {
		client.Join("all")
		return nil
	})
	server.OnEvent("/", "echo", func(client socketio.Conn, data string) { client.Emit("echo", data) })
	server.OnEvent("/", "ack", func(client socketio.Conn, data string) string { return data })
	server.OnEvent("/", "fan", func(client socketio.Conn, data string) {
		server.BroadcastToRoom("/", "all", "fan", data)
	})
	server.OnError("/", func(client socketio.Conn, err error) {})
	go func() { log.Fatal(server.Serve()) }()
	http.Handle("/socket.io/", server)
	address := "127.0.0.1:" + os.Args[1]
	if len(os.Args) > 2 {
		log.Fatal(http.ListenAndServeTLS(address, os.Args[2], os.Args[2], nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}
