// A job that needs one other service: `client.exe LIBRARY [STYLE]`.
using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

class ExportFailedException : Exception
{
    public ExportFailedException(string message, Exception inner) : base(message, inner) { }
}

static class Client
{
    static readonly string Host = Environment.GetEnvironmentVariable("HOST"), Url = Environment.GetEnvironmentVariable("URL");
    static readonly int Port = int.Parse(Environment.GetEnvironmentVariable("PORT"));

    static void Call(string name)
    {
        switch (name)
        {
            case "httpclient":
                using (var client = new HttpClient { Timeout = TimeSpan.FromSeconds(3) })
                    client.GetAsync(Url).Result.EnsureSuccessStatusCode();
                break;
            case "webrequest":
                var request = (HttpWebRequest)WebRequest.Create(Url);
                request.Timeout = request.ReadWriteTimeout = 3000;
                using (request.GetResponse()) { }
                break;
            case "webclient":
                new WebClient().DownloadString(Url);
                break;
            case "tcpclient":
                using (var tcp = new TcpClient())
                {
                    if (!tcp.ConnectAsync(Host, Port).Wait(3000))
                        throw new TimeoutException("connecting to " + Host + ":" + Port + " timed out");
                    tcp.ReceiveTimeout = 3000;
                    var stream = tcp.GetStream();
                    stream.WriteByte(65);
                    if (stream.ReadByte() < 0)
                        throw new EndOfStreamException("the server closed the connection");
                }
                break;
            case "socket":
                using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
                {
                    socket.ReceiveTimeout = 3000;
                    socket.Connect(Host, Port);
                    socket.Send(new byte[1]);
                    if (socket.Receive(new byte[8]) == 0)
                        throw new SocketException(10054);
                }
                break;
            case "smtp":
                new SmtpClient(Host, Port) { Timeout = 3000 }.Send("a@shop.example", "b@shop.example", "export", "done");
                break;
            default:
                switch (Environment.GetEnvironmentVariable("FAULT"))
                {
                    case "own-listener": new TcpListener(IPAddress.Any, Port).Start(); break;
                    case "own-certificate": File.WriteAllText("own.pfx", "none"); new X509Certificate2("own.pfx", "x"); break;
                    case "missing-file": File.ReadAllText("/etc/export/appsettings.json"); break;
                    case "missing-setting": throw new InvalidOperationException("Environment variable LEDGER_URL is not set");
                    case "bug": string orders = null; Console.WriteLine(orders.Length); break;
                }
                break;
        }
    }

    static int Main(string[] arguments)
    {
        Console.WriteLine("info: Shop.Export[0]\n      Export job 5.1 starting");
        switch (arguments.Length > 1 ? arguments[1] : "uncaught")
        {
            case "uncaught": Call(arguments[0]); break;
            case "wrapped":
                try { Call(arguments[0]); }
                catch (Exception e) { throw new ExportFailedException("the export could not start", e); }
                break;
            case "logged":
                try { Call(arguments[0]); }
                catch (Exception e) { Console.Error.WriteLine("crit: Shop.Export[0]\n      Export failed\n      " + e.ToString().Replace("\n", "\n      ")); return 1; }
                break;
            case "line":
                try { Call(arguments[0]); }
                catch (Exception e) { Console.Error.WriteLine("[ERR] Export failed: " + e.GetBaseException().Message); return 1; }
                break;
        }
        return 0;
    }
}
