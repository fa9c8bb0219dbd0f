import APITypes
import Guests
import Logging
import PoolDatabase

/// Guests whose suspension came to nothing, or that do not answer when they are resumed: each goes on, or has ended, and the rows say
/// which.
extension MachineSuspension {
    /// The guest goes on after a suspension that has failed with `cause`; the rows of one that has ended with it follow. A QEMU that does
    /// not answer is seen to later.
    func goOn(_ uuid: String, after cause: (any Error)? = nil) async {
        let work = Task {
            while true {
                await letGoOn(uuid)
                if !isHeld(uuid) { break }
                await pause(uuid)
            }
            guard guests.state(uuid) == nil else { return }
            await lifecycle.halted(uuid, reason: (cause as? LostGuest).map { .crashed($0.cause.message) })
        }
        await BoundedWait.wait(for: work, atMost: patience)
    }

    /// The image goes of a suspension that came to nothing: once QEMU does not hold the guest any more. Until then its note says to
    /// who starts next that the guest is to go on, which nothing else does.
    func takeBack(_ image: Ref<VDI>, of uuid: String) async {
        if !isHeld(uuid) { return await discard(image, of: uuid) }
        Task {
            while isHeld(uuid) { await pause(uuid) }
            await discard(image, of: uuid)
        }
    }

    /// The guest has not gone on yet since its suspension or resumption, nor has it ended.
    func isHeld(_ uuid: String) -> Bool { guests.passage(of: uuid, owner: nil) != nil }

    /// Some seconds, or until the guest is on no passage: a QEMU whose connection broke may just have ended.
    private func pause(_ uuid: String) async {
        let end = ContinuousClock.now + patience / 12
        while isHeld(uuid), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(100)) }
    }

    /// The guest goes on, wherever the suspension has got to; one that is gone stays so.
    func letGoOn(_ uuid: String) async {
        do throws(GuestError) {
            switch guests.passage(of: uuid, owner: nil) {
            case nil: return
            case .held, .beginning: break
            default:
                do throws(GuestError) { try await guests.cancelSending(uuid) } catch  where error.code == .refused {}
            }
            if [.held, .beginning].contains(guests.passage(of: uuid, owner: nil)) { try await guests.resumeHeld(uuid) }
        } catch {
            context.logger.error("a guest does not go on", metadata: ["vm": "\(uuid)", "error": "\(error)"])
        }
    }

    /// After a resumption's commit: the guest that was told to run is told again until it runs or has ended, which leaves the image of no
    /// use, or until QEMU refuses: then the image is the VM again.
    func finishRun(_ vm: Ref<VM>, _ uuid: String, image: Ref<VDI>, domain: Int64) async {
        let before = await lifecycle.cutOffCount(vm)
        while let passage = guests.passage(of: uuid, owner: nil), [.beginning, .loaded].contains(passage) {
            do throws(GuestError) {
                try await guests.takeOver(uuid)
            } catch {
                context.logger.error("a resumed guest does not run", metadata: ["vm": "\(uuid)", "error": "\(error)"])
                if error.code == .refused,
                    (try? await lifecycle.unresume(vm, image: image, domain: domain, cutOffs: before)) == true
                {
                    return await forget(image)
                }
                await pause(uuid)
            }
        }
        if guests.state(uuid) == nil {
            await lifecycle.halted(uuid, reason: .crashed("QEMU ended when the guest was to run"))
        }
        await discard(image, of: uuid)
    }
}
