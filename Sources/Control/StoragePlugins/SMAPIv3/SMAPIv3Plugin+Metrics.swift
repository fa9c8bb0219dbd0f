import Foundation
import Glibc
import Logging
public import StorageInterface

// What plugins measure. `SR.stat` names files of shared memory; they are read at each look at the machine.
extension SMAPIv3Plugin {
    /// Of one SR. Each is read every few seconds.
    private static let mostPages = 8

    /// Keeps in mind what the SR has to read. It is not worth an error of what was asked.
    func note(_ state: PluginRepositoryState, _ repository: StorageRepository) {
        let pages = Array(state.dataSources.compactMap(MetricPage.file(ofSource:)).prefix(Self.mostPages))
        guard pages != host.table.pages(of: repository.uuid) else { return }
        do throws(StorageError) {
            try host.table.change { $0.setPages(pages, of: repository.uuid) }
        } catch {
            host.logger.warning(
                "an SR's data sources are not read", metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
    }

    public func metrics(_ repository: StorageRepository) -> [StorageMetrics] {
        let pages = host.table.pages(of: repository.uuid)
        guard !pages.isEmpty, let folder = metricsFolder() else { return [] }
        return pages.compactMap { name in
            let file = host.metricsFolder + "/" + name
            do throws(MisshapenRecord) {
                let page = try read(page: name, in: folder)
                host.complaints.clear(file)
                return page.metrics
            } catch {
                if host.complaints.isNew(error.description, of: file) {
                    host.logger.warning(
                        "a storage plugin's data sources cannot be read",
                        metadata: ["sr": "\(repository.uuid)", "file": "\(file)", "error": "\(error.description)"])
                }
                return nil
            }
        }
    }

    /// Nil, with one warning, when it is another's: who may write in it says what is measured.
    private func metricsFolder() -> FileHandle? {
        do throws(MisshapenRecord) {
            let folder = try openMetricsFolder()
            host.complaints.clear(host.metricsFolder)
            return folder
        } catch {
            if host.complaints.isNew(error.description, of: host.metricsFolder) {
                host.logger.warning(
                    "the data sources of storage plugins are not read",
                    metadata: ["folder": "\(host.metricsFolder)", "error": "\(error.description)"])
            }
            return nil
        }
    }

    func openMetricsFolder() throws(MisshapenRecord) -> FileHandle {
        let descriptor = unsafe open(host.metricsFolder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MisshapenRecord(description: "it cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = Glibc.stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw MisshapenRecord(description: "its owner is not known")
        }
        try requireOwn(status)
        return handle
    }

    /// Of root, of us, or of the user that plugins run as.
    private func requireOwn(_ status: Glibc.stat) throws(MisshapenRecord) {
        guard [0, geteuid(), host.runner.settings.sandbox.user?.user].contains(status.st_uid) else {
            throw MisshapenRecord(description: "it belongs to the user \(status.st_uid)")
        }
    }

    /// The plugin may be writing it at this moment: then it is read once more.
    func read(page name: String, in folder: FileHandle) throws(MisshapenRecord) -> MetricPage {
        do {
            return try MetricPage(try bytes(of: name, in: folder))
        } catch {
            return try MetricPage(try bytes(of: name, in: folder))
        }
    }

    /// Nothing that could make the reader wait is opened.
    private func bytes(of name: String, in folder: FileHandle) throws(MisshapenRecord) -> [UInt8] {
        let descriptor = unsafe openat(folder.fileDescriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MisshapenRecord(description: "it cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = Glibc.stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MisshapenRecord(description: "it is no file")
        }
        try requireOwn(status)
        do {
            let data = try handle.read(upToCount: MetricPage.mostBytes + 1) ?? Data()
            guard data.count <= MetricPage.mostBytes else {
                throw MisshapenRecord(description: "it has more than \(MetricPage.mostBytes) bytes")
            }
            return [UInt8](data)
        } catch let error as MisshapenRecord {
            throw error
        } catch {
            throw MisshapenRecord(description: "it cannot be read: \(error)")
        }
    }
}
