import BlockIO

/// What to try after an error whose kind alone would lead somewhere useless.
enum ErrorAdvice {
    /// Nil where the advice for the error's kind fits.
    static func particular(to error: BlockError) -> String? {
        let message = error.message
        func says(_ words: String...) -> Bool { words.contains { message.contains($0) } }
        switch error.code {
        case .corrupt where says("comes back to this image", "uses this file twice", "among its own parents"):
            // No structure is damaged: names lead in a circle.
            return "naming other files: --parent FORMAT:PATH for each ancestor, or gantry image rebase -u"
        case .corrupt where says("has the identifier", "without an identifier"):
            return otherParent
        case .corrupt where says("VHDX", "VMDK"):
            // gantry image check refuses both.
            return unrepairable
        case .invalidImage where says("v_poison"):
            return
                "--open-disabled, to save what it holds; the program that disabled it may have moved the disk elsewhere"
        case .invalidImage where says("needs the parent"):
            return otherParent
        case .invalidImage where says("was given"):
            return "--parent with the file and the format that the image was made on"
        case .denied where says("a stream cannot name"):
            return "saving all of its files first"
        case .denied where says("were given"):
            return "--parent FORMAT:PATH for each ancestor, the nearest first"
        case .denied where says("the stream is"):
            return "--parent FORMAT:PATH for each ancestor; names in a stream are not followed"
        default:
            return nil
        }
    }

    private static let unrepairable = "another copy of the file; gantry reads VHDX and VMDK, and repairs neither"
    private static let otherParent = "the parent that the image was made on; --ignore-identity takes another VHD for it"
}
