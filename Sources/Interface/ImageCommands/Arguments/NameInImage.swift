/// Names of other files as images hold them.
enum NameInImage {
    /// Where a name leads that is stored in `image`: relative ones start at the image's folder.
    static func path(of name: String, in image: String) -> String {
        if name.hasPrefix("/") { return name }
        return (image.lastIndex(of: "/").map { String(image[...$0]) } ?? "") + name
    }
}
