/**
 * What the server says, as types alone. Times are microseconds since the epoch, boxes pixels of the source.
 *
 * @typedef {"connecting"|"live"|"stalled"|"reconnecting"|"paused"|"ended"|"silent"} StateName
 *
 * @typedef {object} State  how one stream fares
 * @property {string} stream
 * @property {StateName} state
 * @property {string} reason  empty where nobody gave one
 * @property {number|null} since_us
 * @property {number|null} fps  frames processed per second
 * @property {number|null} latency_s  95th percentile from capture to published; null of recordings
 * @property {number} drops
 * @property {number} deadletters
 * @property {number|null} last_us  event time of the newest frame
 * @property {number|null} seen_us  when its newest record was published
 * @property {boolean} live
 * @property {number|null} share  of a recording that is done, 0 to 1
 * @property {boolean} outofdomain
 * @property {boolean} untrained
 *
 * @typedef {object} Hello  answer of /view/streams
 * @property {string} sink
 * @property {"sqlite"|"kafka"} kind
 * @property {"there"|"away"|"empty"} sink_state
 * @property {string} sink_detail
 * @property {number} now_us
 * @property {string} version
 * @property {State[]} streams
 *
 * @typedef {object} Axis  one line of time of a stream
 * @property {string} axis  "live" or a recording's session
 * @property {number} from_us
 * @property {number} to_us
 * @property {"capture"|"container"|"start-time"|"media"} clock
 * @property {number} records
 *
 * @typedef {object} Layer  maps that can be laid over the picture
 * @property {string} topic
 * @property {"depth"|"classes"|"colours"} kind
 * @property {boolean} metric  depth in metres; else relative disparity, larger is nearer
 * @property {string|null} unit
 * @property {number|null} depthscale
 * @property {number|null} low
 * @property {number|null} high
 * @property {string|null} labelset
 * @property {string} variant
 * @property {string} model
 * @property {boolean} untrained
 * @property {boolean} outofdomain
 * @property {boolean|null} calibrated
 *
 * @typedef {object} Stream  answer of /view/streams/STREAM
 * @property {State} state
 * @property {Axis[]} axes  newest last
 * @property {Layer[]} layers
 * @property {Record<string, number>} topics
 * @property {[number, number]|null} size_wh
 * @property {[number, number, number, number]|null} region
 * @property {"frames"|"footage"|null} pictures
 * @property {string} pictures_why
 * @property {boolean} similar
 *
 * @typedef {object} Held  a record that holds at a moment
 * @property {string} id
 * @property {number} time_us
 * @property {string} position
 * @property {any} [data]  of JSON records
 *
 * @typedef {object} Moment  answer of /view/moment
 * @property {number} time_us
 * @property {string} position
 * @property {string} session
 * @property {string|null} pts
 * @property {string|null} timebase
 * @property {{position: string, time_us: number, exact: boolean, source: string}|null} frame
 * @property {Record<string, Held>} records  by topic
 *
 * @typedef {object} Item  a mark in a lane of the timeline
 * @property {number} from_us
 * @property {number} to_us
 * @property {string} label
 * @property {number|null} score
 * @property {number} count
 * @property {string} id
 * @property {string} topic
 * @property {string} detail
 *
 * @typedef {{name: string, binned: boolean, items: Item[]}} Lane
 *
 * @typedef {object} Timeline  answer of /view/timeline
 * @property {number} from_us
 * @property {number} to_us
 * @property {number} first_us
 * @property {number} last_us
 * @property {[number, number][]} covered
 * @property {{from_us: number, to_us: number}[]} gaps
 * @property {Lane[]} lanes
 * @property {{name: string, count: number}[]} labels
 * @property {number} left_out
 *
 * @typedef {object} PictureHead  what stands before a picture on the WebSocket
 * @property {string} stream
 * @property {string} session
 * @property {string} position
 * @property {number} time_us
 * @property {string} topic
 * @property {"photo"|"depth"|"classes"|"colours"} kind
 * @property {boolean} metric
 * @property {number|null} depthscale
 * @property {number|null} low
 * @property {number|null} high
 *
 * @typedef {object} PixelMap  a decoded PNG
 * @property {number} width
 * @property {number} height
 * @property {1|3} channels
 * @property {Uint8Array|Uint16Array} values  row by row, as they are stored
 *
 * @typedef {[number, number, number]} Rgb
 */
export {};
