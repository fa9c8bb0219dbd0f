import APITypes
import RPCCodec
import Testing

@testable import APIServer

@Suite struct SharedAnswerTests {
    /// What many wait for is encoded once, and everybody has the answer in the form of his own call.
    @Test func answersThatManyWaitForAreTheirOwn() {
        let forms: [AnswerForm] = [
            .xml, .json(.v1, .int(1)), .json(.v2, .int(1)), .json(.v2, .string("1")), .json(.v2, .string("a")),
        ]
        let shared = SharedAnswers()
        // Alike, as two changes of one object are, and one of a size that is not kept.
        let values = (0..<6).map { number in
            APIValue.record([
                APIMember("events", .set([.string(String(repeating: "e", count: number == 5 ? 100_000 : 10))])),
                APIMember("valid_ref_counts", .map(["vdi": .int(Int64(number))])),
                APIMember("token", .string("\(number / 2)")),
            ])
        }
        for round in 0..<3 {
            for value in round == 1 ? values.reversed() : values {
                for form in forms { #expect(shared.encode(value, as: form) == form.encode(value)) }
            }
        }
        #expect(shared.encode(.void, as: .xml) == AnswerForm.xml.encode(.void))
        #expect(shared.encode(.record([]), as: .xml) == AnswerForm.xml.encode(.record([])))
    }
}
