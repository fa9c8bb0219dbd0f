import BlockIO

extension ServeCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.hasClients = true
        if readOnly { print.read(file, chain.dataFile) } else { print.write(file, chain.dataFile) }
        print.read(tlsCertificates)
        if let socket { print.make(in: RealPath.folder(of: socket)) }
        print.chain(chain)
        return print
    }
}

extension BenchCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        if write { print.write(file, chain.dataFile) } else { print.read(file, chain.dataFile) }
        print.chain(chain)
        return print
    }
}
