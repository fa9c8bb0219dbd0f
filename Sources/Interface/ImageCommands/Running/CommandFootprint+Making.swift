import BlockIO
import DiskImages

extension CreateCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        let choices = format.writableFormat.flatMap { try? CreateOptions.reading(options, for: $0) }
        print.change(file, chain.dataFile, choices?.dataFile(beside: file))
        // From the folder that the image really lies in, as it is looked up.
        let real = RealPath.of(file) ?? file
        for name in [parent, choices?.parent?.name] { print.read(name.map { NameInImage.path(of: $0, in: real) }) }
        print.chain(chain)
        return print
    }
}

extension ConvertCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        let choices = targetFormat.writableFormat.flatMap { try? CreateOptions.reading(options, for: $0) }
        let real = RealPath.of(target) ?? target
        print.read(source, chain.dataFile, choices?.parent.map { NameInImage.path(of: $0.name, in: real) })
        print.change(target, choices?.dataFile(beside: real))
        // What a stream has out of order waits in a file without a name.
        if source == "-" || decompress != nil { print.make(in: RealPath.spillFolder(for: target)) }
        print.chain(chain)
        return print
    }
}

extension RebaseCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.change(file, chain.dataFile)
        if !parent.isEmpty { print.read(NameInImage.path(of: parent, in: file)) }
        print.chain(chain)
        return print
    }
}

extension CommitCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.change(file, chain.dataFile)
        print.chain(chain, changes: true)
        return print
    }
}

extension CoalesceCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.change(file, chain.dataFile)
        for one in child { print.change(one.path) }
        print.chain(chain, changes: true)
        return print
    }
}
