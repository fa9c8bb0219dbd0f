import BlockIO
import DiskImages

/// A command that says what it opens before it runs.
protocol ConfinedCommand {
    var footprint: CommandFootprint { get }
}

/// The files that a command's arguments name. `confine` makes the process open no others, start no program and make no socket,
/// unless it has clients, whatever an image has it do; where the kernel cannot, it goes on without.
struct CommandFootprint {
    private(set) var rules: [ProcessConfinement.Rule] = []
    /// Keeps the network.
    var hasClients = false

    /// Read only. `-`, a standard stream, is open already.
    mutating func read(_ paths: String?...) {
        for path in paths { if let path, path != "-" { rules.append(.init(path, .read)) } }
    }

    /// Changed where it is; nothing is made beside it.
    mutating func write(_ paths: String?...) {
        for case let path? in paths { rules.append(.init(path, .write)) }
    }

    /// Changed where it is, or made; files may come and go beside it. What is there and no regular file, a block device above all,
    /// is written without the folder that it lies in.
    mutating func change(_ paths: String?...) {
        for case let path? in paths where path != "-" {
            let real = RealPath.of(path) ?? path
            rules.append(.init(real, .write))
            if RealPath.of(path) == nil || RealPath.isRegularFile(real) {
                rules.append(.init(RealPath.folder(of: real), .make))
            }
        }
    }

    /// Makes files in a folder.
    mutating func make(in folder: String) { rules.append(.init(folder, .make)) }

    /// What the images may lead to.
    mutating func chain(_ options: ChainOptions, changes: Bool = false) {
        for parent in options.parent { changes ? change(parent.path) : read(parent.path) }
        if let folder = options.follow { rules.append(.init(folder, changes ? .make : .read)) }
        for extent in options.extent { read(extent) }
    }

    /// One image, changed where it is or only read, with what it may lead to.
    static func image(_ file: String?, _ options: ChainOptions, changes: Bool) -> CommandFootprint {
        var print = CommandFootprint()
        if changes { print.change(file, options.dataFile) } else { print.read(file, options.dataFile) }
        print.chain(options)
        return print
    }

    func confine() {
        _ = ProcessConfinement.keepFiles(rules)
        _ = ProcessConfinement.giveUpCalls(network: hasClients)
    }
}

extension InfoCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: false) }
}

extension CheckCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: repair != nil) }
}

extension CompareCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.read(first, second, chain.dataFile, secondDataFile)
        for parent in secondParent { print.read(parent.path) }
        print.chain(chain)
        return print
    }
}

extension MapCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: false) }
}

extension MeasureCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: false) }
}

extension ResizeCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: true) }
}

extension SnapshotCommand: ConfinedCommand {
    var footprint: CommandFootprint { .image(file, chain, changes: !list) }
}

extension BitmapCommand: ConfinedCommand {
    var footprint: CommandFootprint {
        var print = CommandFootprint()
        print.change(file, dataFile)
        print.read(source)
        return print
    }
}
