// The command line of the toolstack. All of it lives in XECommands; here are only the process's ends.
import Foundation
import XECommands

let process = ProcessInfo.processInfo
// Ctrl-C ends with 1, as scripts expect; what the server has been asked to do goes on.
signal(SIGINT) { _ in _exit(1) }
signal(SIGPIPE, SIG_IGN)
exit(await XEProgram.run(Array(process.arguments.dropFirst()), environment: process.environment))
