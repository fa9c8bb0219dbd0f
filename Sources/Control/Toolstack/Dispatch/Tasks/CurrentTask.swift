import APITypes

/// The task of the call whose work runs now; what it starts in its name can say so without being told by everybody between.
enum CurrentTask {
    @TaskLocal static var ref = Ref<XenTask>.null
}
